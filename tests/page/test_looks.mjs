// On a phone and a wide screen, light and dark: nothing sticks out, everything can be read, nothing moves unasked.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, tileOf, until } from './browser.mjs';
import { Scene } from './scene.mjs';

const LONG = 'a-dependency.with@a:very/long_name'.repeat(2).slice(0, 63);
const PHONE = { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true };

export default () => describe('looks', { concurrency: 1 }, () => {
  let scene;
  before(async () => {
    scene = await Scene.open();
    for (const name of ['down', 'fine', 'forced', LONG])
      scene.cbctl('create', name, 'failure_threshold=1 open_timeout=1h half_open_timeout=20m call_timeout=123456ms');
    scene.cbctl('create', 'probing', 'failure_threshold=1 open_timeout=1ms');
    scene.cbctl('force-open', 'forced', '--reason', 'W'.repeat(127));
    const worker = await scene.worker();
    for (const name of ['down', 'probing', LONG]) await worker.say(`fail ${name} 1`);
    await until(() => worker.say('hold probing').then(() => true), () => 'no probe is admitted');
  });
  after(() => scene.close());

  const open = async (t, options) => {
    const page = await openPage(t, scene.url, options);
    await tileOf(page, 'fine').waitFor();
    await until(async () => (await page.locator('#tiles .entry').count()) >= 3, () => 'no events');
    return page;
  };

  test('360 pixels wide, without sideways scrolling', async (t) => {
    const page = await open(t, PHONE);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    const wide = await page.locator('a.tile').evaluateAll((all) => all
      .filter((tile) => tile.scrollWidth > tile.clientWidth).map((tile) => tile.innerText));
    assert.deepEqual(wide, []);
    for (const name of [LONG, 'forced']) {
      await tileOf(page, name).click();
      const inside = await page.locator('#details').evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
      assert.ok(inside <= 0, `the details of ${name} are ${inside} px too wide`);
      await page.click('#details .close');
    }
    const small = await page.locator('button, a.tile, select, input').evaluateAll((all) => all
      .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 32)
      .map((element) => element.outerHTML));
    assert.deepEqual(small, [], 'too small for a finger');
  });

  for (const colorScheme of ['light', 'dark'])
    test(`${colorScheme}: every text stands out from what is behind it`, async (t) => {
      const page = await open(t, { colorScheme });
      await tileOf(page, 'forced').click();
      await page.locator('#details[open]').waitFor();
      const faint = await page.evaluate(faintTexts);
      assert.deepEqual(faint, []);
    });

  test('the two schemes differ', async (t) => {
    const colour = async (colorScheme) => {
      const page = await open(t, { colorScheme });
      return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    };
    assert.notEqual(await colour('light'), await colour('dark'));
  });

  test('nothing moves for those who asked for less motion', async (t) => {
    const animated = async (reducedMotion) => {
      const page = await open(t, { reducedMotion });
      return page.evaluate(() => {
        document.querySelector('#tiles li').classList.add('news');
        return document.getAnimations().length;
      });
    };
    assert.notEqual(await animated('no-preference'), 0);
    assert.equal(await animated('reduce'), 0);
  });

  test('who does not see it is told the same', async (t) => {
    const page = await open(t);
    await page.getByRole('list', { name: 'Breakers' }).waitFor();
    await page.getByRole('link', { name: /^down open Down since .* consecutive failure/ }).waitFor();
    await page.getByRole('button', { name: /^\d+ open$/ }).waitFor();
    await page.getByRole('searchbox', { name: 'Filter by name' }).waitFor();
    await page.getByRole('combobox', { name: 'Sort by' }).waitFor();
    scene.cbctl('trip', 'fine', '--reason', 'to be announced');
    await expectText(page.locator('[role=status]#news'), /^fine: open/);
    await tileOf(page, 'fine').click();
    await page.getByRole('dialog', { name: 'fine' }).waitFor();
    scene.cbctl('reset', 'fine');
  });
});

// Runs in the page: texts with less contrast than WCAG's 4.5 against the colour behind them.
function faintTexts() {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    if (!hasText(element) || !element.checkVisibility() || element.closest(':disabled, .unseen')) continue;
    const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)}: ${element.outerHTML.slice(0, 100)}`);
  }
  return faint;
}
