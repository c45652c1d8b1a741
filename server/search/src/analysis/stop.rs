//! Which words of a question say nothing of what is asked?
//!
//! Articles, pronouns, auxiliaries, question words: they are indexed, for phrases need them, and count
//! in a question only where it has nothing else.

use std::collections::HashSet;

/// In lower case, umlauts as they are written.
const GERMAN: &str = "
    aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch
    auf aus bei beim bereits bin bis bist bitte bzw da dabei dadurch dafür dagegen daher damit danach
    dann daran darauf daraus darf darin darüber darum das dass davon dazu dein deine deinem deinen
    deiner dem den denen denn der deren des deshalb dessen dich die dies diese dieselbe dieselben
    diesem diesen dieser dieses dir doch dort du durch durfte dürfen ein eine einem einen einer eines
    einige einigem einigen einiger einiges er es etwa etwas euch euer eure eurem euren eurer für ganz
    gar gegen geht gewesen gibt hab habe haben hat hatte hatten hattest hier hin hinter ich ihm ihn
    ihnen ihr ihre ihrem ihren ihrer ihres im in indem ins ist ja jede jedem jeden jeder jedes jedoch
    jene jenem jenen jener jenes jetzt kann kannst kein keine keinem keinen keiner können könnte
    könnten lässt lassen machen macht mal man manche manchem manchen mancher manches mein meine meinem
    meinen meiner meines mich mir mit möchte muss musste müssen nach nicht nichts noch nun nur ob oder
    ohne sehr sein seine seinem seinen seiner seines seit selbst sich sie sind so sobald solche solchem
    solchen solcher solches soll sollen sollte sollten sondern sonst sowie tun über um und uns unser
    unsere unserem unseren unserer unter viel viele vielen vom von vor wann war waren warst warum was
    weder wegen weil weiter welche welchem welchen welcher welches wenn wer werde werden wessen wie
    wieder wieso wieviel will wir wird wirst wo wobei wodurch woher wohin wollen womit woran worden
    worum wurde wurden während würde würden zu zum zur zwar zwischen";

/// Pieces of `don't` and `we'll` among them.
const ENGLISH: &str = "
    a about above after again against all also am an and any are aren as at be because been before
    being below between both but by can cannot could couldn d did didn do does doesn doing don down
    during each else ever few for from further get gets had hadn has hasn have haven having he her here
    hers herself him himself his how however i if in into is isn it its itself just let like ll m
    many may me might more most much must my myself no nor not now of off on once one only or other
    others ought our ours ourselves out over own please re s same shall she should shouldn so some such
    t than that the their theirs them themselves then there these they thing things this those through
    to too under until up upon us ve very was wasn we were weren what when where whether which while
    who whom whose why will with within without won would wouldn yet you your yours yourself";

/// Both languages' lists.
pub(crate) struct Stops {
    german: HashSet<&'static str>,
    english: HashSet<&'static str>,
}

impl Stops {
    pub fn new() -> Self {
        Self {
            german: GERMAN.split_whitespace().collect(),
            english: ENGLISH.split_whitespace().collect(),
        }
    }

    pub fn german(&self) -> impl Iterator<Item = &'static str> {
        self.german.iter().copied()
    }

    pub fn is_german(&self, lower: &str) -> bool {
        self.german.contains(lower)
    }

    /// Which words of a question are stop words, in the language that has more of them there: `die` is
    /// one in German and none in English. Where both have as many, both count.
    pub fn among(&self, lower: &[&str]) -> Vec<bool> {
        let n = |set: &HashSet<&str>| lower.iter().filter(|word| set.contains(*word)).count();
        let (german, english) = (n(&self.german), n(&self.english));
        lower
            .iter()
            .map(|word| {
                (german >= english && self.german.contains(word))
                    || (english >= german && self.english.contains(word))
            })
            .collect()
    }
}
