// What `cargo xtask test` and `bench` hand to the scripts.

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start the tests by \`cargo xtask test --only browser\``);
  return value;
}

/** The server's program. */
export const portico = () => required("PORTICO_BIN");
/** The folder of the built page. */
export const page = () => required("PORTICO_PAGE");
/** A data folder that holds the real models. */
export const data = () => required("PORTICO_TEST_DATA");
/** The Chromium to drive. */
export const chromium = () => required("PORTICO_CHROMIUM");
/** Where screenshots go; undefined where none are asked for. */
export const screenshots = () => process.env.PORTICO_SCREENSHOTS || undefined;

/** The catalogue's id of the real model that the tests load. */
export const MODEL = "smollm2-135m-instruct";
