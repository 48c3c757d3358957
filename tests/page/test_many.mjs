// A thousand breakers, all of them called all the time, stay smooth.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, until } from './browser.mjs';
import { Scene } from './scene.mjs';

const COUNT = 1000;
const ROUNDS = 5; // answers looked at
const SHOWN_IN_MS = 250; // generous: about a tenth of it on a quiet machine
const name = (i) => `service-${String(i).padStart(4, '0')}`;

export default () => describe('a thousand breakers', { concurrency: 1 }, () => {
  let scene;
  let worker;
  before(async () => {
    const section = (_, i) => `[${name(i)}]\nfailure_threshold = 3\nopen_timeout = 1m\n`;
    scene = await Scene.open(Array.from({ length: COUNT }, section).join(''));
    worker = await scene.worker();
    for (let i = 0; i < COUNT; i += 97) await worker.say(`fail ${name(i)} 3`);
  });
  after(() => scene.close());

  test('rounds of news are shown in a blink, and the page never stands still for long', async (t) => {
    const page = await openPage(t, scene.url);
    await expectText(page.locator('#kinds'), /11 open .* 989 fine/);
    await page.evaluate(watchTasks);
    for (let round = 0; round < ROUNDS; round++) {
      await worker.say('all 3');
      await worker.say(`fail ${name(1 + round)} 3`);
      await expectText(page.locator('#kinds'), new RegExp(`${12 + round} open`));
      await page.mouse.wheel(0, 700);
    }
    const { shown, tasks } = await page.evaluate(() => ({
      shown: performance.getEntriesByName('show').map(({ duration }) => duration).sort((a, b) => a - b),
      tasks: window.tasks,
    }));
    const median = shown[shown.length >> 1];
    const longest = Math.max(0, ...tasks);
    t.diagnostic(`${shown.length} rounds: ${median.toFixed(1)} ms in the middle, ` +
      `${shown.at(-1).toFixed(1)} ms at most; ${tasks.length} tasks over 50 ms, the longest ${longest.toFixed(0)} ms`);
    assert.ok(median < SHOWN_IN_MS, `showing news takes ${median} ms`);
    assert.ok(longest < 4 * SHOWN_IN_MS, `the page stood still for ${longest} ms`);
  });

  test('any of them is found at once; what is out of sight is drawn only when it comes into view', async (t) => {
    const page = await openPage(t, scene.url);
    await expectText(page.locator('#kinds'), /fine/);
    await page.keyboard.press('/');
    await page.keyboard.type('0998');
    await until(async () => (await page.locator('#tiles li').count()) === 1, () => 'the filter does not filter');
    await page.keyboard.press('Escape');
    const figures = await page.locator('#tiles b.flying').allTextContents();
    const drawn = figures.filter(Boolean).length;
    assert.ok(drawn > 0 && drawn < COUNT / 4, `${drawn} tiles are drawn`);
    await page.route('**/api/v1/breakers', () => {}); // no answer any more
    await page.waitForRequest('**/api/v1/breakers');
    await page.locator('#tiles li').first().locator('a').focus();
    await page.keyboard.press('End');
    await expectText(page.locator('#tiles li').last().locator('b.flying'), /^0$/);
  });
});

// Runs in the page: note how long the tasks take that keep it from answering.
function watchTasks() {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' });
}
