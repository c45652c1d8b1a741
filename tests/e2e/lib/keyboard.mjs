// A person who has no mouse: what is not reached with Tab is not there.

/** More stops than any view has. */
const STOPS_MAX = 160;

/**
 * Walks with Tab to one of `controls` (a locator); fails where it is not reached or its focus cannot be seen.
 * @param {{back?: boolean}} options `back`: with Shift+Tab
 */
export async function reach(page, controls, { back = false } = {}) {
  await controls.first().waitFor({ state: "attached" });
  const passed = [];
  for (let stop = 0; stop < STOPS_MAX; stop++) {
    const here = await controls.evaluateAll((all) => {
      const at = document.activeElement;
      if (!all.includes(at)) return { name: at?.getAttribute("aria-label") ?? at?.innerText?.slice(0, 30) ?? at?.tagName };
      // The ring is on the control, or on the frame that holds it (a composer around its box).
      for (let node = at, up = 0; node && up < 3; node = node.parentElement, up++) {
        const style = getComputedStyle(node);
        const hasRing = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
        if (hasRing || style.boxShadow !== "none") return { reached: true, isSeen: true };
      }
      return { reached: true, isSeen: false };
    });
    if (here.reached) {
      if (!here.isSeen) throw new Error(`the focus on ${controls} cannot be seen`);
      return;
    }
    passed.push(here.name);
    await page.keyboard.press(back ? "Shift+Tab" : "Tab");
  }
  throw new Error(`${controls} was not reached by Tab; passed: ${[...new Set(passed)].join(", ")}`);
}

/** Reaches a control and presses it. */
export async function press(page, controls, options) {
  await reach(page, controls, options);
  await page.keyboard.press("Enter");
}

/** Reaches a field and types into it, over what stands there. */
export async function type(page, field, text, options) {
  await reach(page, field, options);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
}
