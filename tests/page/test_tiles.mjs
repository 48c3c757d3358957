// What a tile shows of a breaker, and that it follows what workers and operators do.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, tileOf, until } from './browser.mjs';
import { Scene } from './scene.mjs';

const POLICY = 'failure_threshold=3 open_timeout=1m';

export default () => describe('tiles', { concurrency: 1 }, () => {
  let scene;
  let worker;
  before(async () => {
    scene = await Scene.open();
    for (const name of ['payments', 'mail', 'search']) scene.cbctl('create', name, POLICY);
    scene.cbctl('create', 'busy', 'failure_threshold=1000');
    worker = await scene.worker();
  });
  after(() => scene.close());

  test('a failing dependency: open, since when, why, who noticed, when the next probe goes out', async (t) => {
    const page = await openPage(t, scene.url);
    await expectText(tileOf(page, 'payments').locator('.badge'), /^closed$/);
    await worker.say('fail payments 3');
    const tile = tileOf(page, 'payments');
    await expectText(tile.locator('.badge'), /^open$/);
    await expectText(tile.locator('.condition'), /^Down since \d\d:\d\d:\d\d \(\d+s\)$/);
    await expectText(tile.locator('.next'), /^Next probe in (1m|\d+s)$/);
    await expectText(tile.locator('.journal'), new RegExp(`3 consecutive failures.* by worker\\[${worker.pid}\\]`));
    await expectText(page.locator('#tiles li').first().locator('.name'), /^payments$/);
    await expectText(page.locator('#kinds'), /1 open 0 half-open 0 overridden 3 fine/);
    assert.equal(await page.title(), `1 open – ${scene.registry}`);
    await worker.say('ok payments 40'); // all rejected
    await until(async () => Number(await tile.locator('b.rejected').innerText()) > 0, () => 'no rejections a second');
    scene.cbctl('reset', 'payments', '--reason', 'it is back');
    await expectText(tile.locator('.badge'), /^closed$/);
  });

  test('the countdown goes on between answers', async (t) => {
    await worker.say('fail mail 3');
    const page = await openPage(t, scene.url);
    const next = tileOf(page, 'mail').locator('.next');
    await expectText(next, /^Next probe in/);
    await page.route('**/api/v1/breakers', () => {}); // no answer any more
    const seconds = async () => Number((await next.innerText()).match(/(\d+)s/)?.[1] ?? 60);
    const first = await seconds();
    await until(async () => (await seconds()) <= first - 2, () => `the countdown stands at ${first} s`);
  });

  test('an event that is newer than the answer does not change what is said of its state', async (t) => {
    scene.cbctl('trip', 'mail');
    const page = await openPage(t, scene.url);
    const tile = tileOf(page, 'mail');
    await expectText(tile.locator('.condition'), /^Down since/);
    await page.route('**/api/v1/breakers', () => {}); // no answer any more
    await page.waitForRequest('**/api/v1/breakers');
    scene.cbctl('reset', 'mail');
    await expectText(tile.locator('.journal'), /reset by an operator/);
    assert.match(await tile.locator('.condition').innerText(), /^Down since/);
  });

  test('a probe under way, and how its end is told', async (t) => {
    scene.cbctl('create', 'geo', 'failure_threshold=1 open_timeout=100ms');
    await worker.say('fail geo 1');
    const page = await openPage(t, scene.url);
    const tile = tileOf(page, 'geo');
    await expectText(tile.locator('.badge'), /^half-open$/);
    await expectText(tile.locator('.next'), /^The next call is a probe$/);
    const prober = await scene.worker();
    await prober.say('hold geo');
    await expectText(tile.locator('.next'), /^A probe is under way$/);
    await expectText(tile.locator('b.flying'), /^1$/);
    await prober.say('end');
    await expectText(tile.locator('.badge'), /^closed$/);
    await expectText(tile.locator('.journal'), new RegExp(`1 probe passed.* by worker\\[${prober.pid}\\]`));
  });

  test('an outage goes on through failed probes, and what began it stays in sight', async (t) => {
    scene.cbctl('create', 'maps', 'failure_threshold=1 open_timeout=100ms');
    const page = await openPage(t, scene.url);
    const tile = tileOf(page, 'maps');
    for (let round = 0; round < 3; round++) {
      await worker.say('fail maps 1');
      await expectText(tile.locator('.badge'), /^half-open$/);
    }
    await expectText(tile.locator('.journal'), /a probe failed.*the open time is over.* 1 consecutive failure /);
    await expectText(tile.locator('.condition'), /^Down since/);
  });

  test('a worker killed in its call has its failure counted and told', async (t) => {
    scene.cbctl('create', 'ldap', 'failure_threshold=1 open_timeout=1m');
    const page = await openPage(t, scene.url);
    const victim = await scene.worker();
    await victim.say('hold ldap');
    await expectText(tileOf(page, 'ldap').locator('b.flying'), /^1$/);
    await victim.kill();
    await expectText(tileOf(page, 'ldap').locator('.badge'), /^open$/);
    await expectText(tileOf(page, 'ldap').locator('.journal'), /abandoned|died/);
  });

  test('an override with its reason and its end', async (t) => {
    const page = await openPage(t, scene.url);
    scene.cbctl('force-open', 'search', '--for', '5m', '--reason', 'ticket 4711');
    const tile = tileOf(page, 'search');
    await expectText(tile.locator('.badge'), /^forced-open$/);
    await expectText(tile.locator('.condition'), /^Forced open since/);
    await expectText(tile.locator('.next'), /^Closes by itself in (5m|4m \d+s)$/);
    await expectText(tile.locator('.override'), /^“ticket 4711” by uid \d+/);
    scene.cbctl('disable', 'search');
    await expectText(tile.locator('.next'), /^Until somebody ends it$/);
    scene.cbctl('auto', 'search');
    await expectText(tile.locator('.badge'), /^closed$/);
  });

  test('breakers come and go without a reload', async (t) => {
    const page = await openPage(t, scene.url);
    await tileOf(page, 'search').waitFor();
    scene.cbctl('create', 'brand-new');
    await tileOf(page, 'brand-new').waitFor();
    scene.cbctl('remove', 'brand-new');
    await tileOf(page, 'brand-new').waitFor({ state: 'detached' });
  });

  test('bars of the last minutes', async (t) => {
    await worker.say('ok busy 30');
    const page = await openPage(t, scene.url);
    const path = (kind) => tileOf(page, 'busy').locator(`path.${kind}`).getAttribute('d');
    await until(async () => { // until the daemon has taken its next sample
      await worker.say('fail busy 10');
      return /^M\d+ /.test(await path('failures'));
    }, () => 'no bar of failures');
  });

  test('an empty registry says how to make a breaker', async (t) => {
    const empty = await Scene.open();
    const page = await openPage(t, empty.url);
    t.after(() => empty.close());
    await expectText(page.locator('#nothing'), /cbctl create NAME/);
  });
});
