// Some prose of our own, long enough for a prompt of 256 tokens in any of the vocabularies.

const PARAGRAPHS = [
  "A town hall keeps its minutes in a cupboard behind the council room. Whoever asks what was decided about the bridge in the spring of last year is sent to a clerk, and the clerk, who knows the cupboard, finds the right folder after a while. It works, as long as the clerk is there.",
  "A machine that reads the folders would help, if it could stay in the house. Minutes name people, and people have a right that their names are not sent around the world because somebody wanted to know about a bridge. So the question has to be answered where it is asked: on the desk, by the computer that stands there anyway and does very little for most of the day.",
  "That computer has a graphics processor. It was bought to draw windows and to play films, and it multiplies numbers faster than all the clerks of the country together. A small language model is nothing but a long row of such products, one after the other, with a little arithmetic between them. The browser may use the processor since a few years, and nothing has to be installed.",
  "What remains is patience with details. The weights of the model must come over the line once and be kept; each piece must be checked, for a line that drops a bit makes a clerk that lies. The page must not stand still while the numbers are multiplied. And when the lid of the notebook is closed in the middle of a sentence, the sentence should go on where it stopped.",
];

export const PROSE = PARAGRAPHS.join("\n\n");
