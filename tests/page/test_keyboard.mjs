// Everything by keyboard; filter and order.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, tileOf, until } from './browser.mjs';
import { Scene } from './scene.mjs';

export default () => describe('keyboard, filter and order', { concurrency: 1 }, () => {
  let scene;
  let worker;
  before(async () => {
    scene = await Scene.open();
    for (const name of ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'Alpine'])
      scene.cbctl('create', name, 'failure_threshold=3 open_timeout=1m');
    scene.cbctl('disable', 'gamma');
    worker = await scene.worker();
    await worker.say('fail epsilon 3');
    await worker.say('ok beta 9');
    await worker.say('ok delta 5');
  });
  after(() => scene.close());

  const names = (page) => page.locator('#tiles .name').allInnerTexts();
  const open = async (t, options) => {
    const page = await openPage(t, scene.url, options);
    await until(async () => (await names(page)).length === 6, () => 'not all six breakers');
    return page;
  };
  const focused = (page) => page.evaluate(() => document.activeElement.querySelector?.('.name')?.textContent);
  const expectNames = (page, wanted) =>
    until(async () => (await names(page)).join() === wanted.join(), async () => `${await names(page)}, not ${wanted}`);

  test('trouble first, then by name', async (t) => {
    const page = await open(t);
    await expectNames(page, ['epsilon', 'gamma', 'Alpine', 'alpha', 'beta', 'delta']);
    await page.selectOption('#sort', 'name');
    await expectNames(page, ['Alpine', 'alpha', 'beta', 'delta', 'epsilon', 'gamma']);
  });

  test('/ leads to the filter, Enter to the first tile, Escape back to all', async (t) => {
    const page = await open(t);
    await page.keyboard.press('/');
    await page.keyboard.type('AL p');
    await expectNames(page, ['Alpine', 'alpha']);
    await page.keyboard.press('Enter');
    assert.equal(await focused(page), 'Alpine');
    await page.keyboard.press('Escape');
    assert.equal((await names(page)).length, 6);
    await page.keyboard.press('/');
    await page.keyboard.type('nothing like this');
    await expectText(page.locator('#nothing'), /None of 6 breakers fits/);
    await page.keyboard.press('Escape');
    assert.equal((await names(page)).length, 6);
  });

  test('arrows walk the grid, Enter opens, Escape returns to the tile', async (t) => {
    const page = await open(t, { viewport: { width: 700, height: 600 } }); // two columns
    await page.selectOption('#sort', 'name');
    await page.locator('#sort').blur();
    await page.keyboard.press('ArrowDown');
    const walked = [await focused(page)];
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp', 'End', 'Home']) {
      await page.keyboard.press(key);
      walked.push(await focused(page));
    }
    assert.deepEqual(walked, ['epsilon', 'gamma', 'gamma', 'epsilon', 'beta', 'gamma', 'Alpine']);
    await page.keyboard.press('Enter');
    await page.locator('#details[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#details:not([open])').waitFor({ state: 'attached' });
    assert.equal(await focused(page), 'Alpine');
  });

  test('Tab reaches one tile only, and what has the keyboard is outlined', async (t) => {
    const page = await open(t);
    assert.equal(await page.locator('#tiles a[tabindex="0"]').count(), 1);
    await page.locator('#sort').focus();
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'epsilon');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, 'solid');
  });

  test('a tile keeps the keyboard when the order changes under it', async (t) => {
    const page = await open(t);
    await tileOf(page, 'delta').locator('a').focus();
    await worker.say('fail delta 3');
    await expectNames(page, ['delta', 'epsilon', 'gamma', 'Alpine', 'alpha', 'beta']);
    assert.equal(await focused(page), 'delta');
    scene.cbctl('reset', 'delta');
    await expectNames(page, ['epsilon', 'gamma', 'delta', 'Alpine', 'alpha', 'beta']); // it has only just recovered
    assert.equal(await focused(page), 'delta');
  });

  test('the counts at the top choose one kind', async (t) => {
    const page = await open(t);
    await page.click('#kinds [data-kind=overridden]');
    await expectNames(page, ['gamma']);
    assert.equal(await page.getAttribute('#kinds [data-kind=overridden]', 'aria-pressed'), 'true');
    await page.click('#kinds [data-kind=overridden]');
    assert.equal((await names(page)).length, 6);
  });
});
