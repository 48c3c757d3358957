// The pictures in the documents: a small host's afternoon, played in two and a half minutes by real workers on a real daemon.
// Usage: run.sh BUILD_DIR screenshots.mjs INTO
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Scene } from './scene.mjs';

const [into] = process.argv.slice(2);
const { chromium } = createRequire(`${process.env.NODE_MODULES}/`)('playwright-core');
const LASTS_S = 150;
const TURN_S = 0.25;

// name: [policy, calls a second, second in which it begins to fail, share that fails from then on]
const BREAKERS = {
  payments: ['failure_threshold=5 open_timeout=30s backoff_multiplier=2 timing=precise', 40, 65, 1],
  search: ['window=time:10s failure_rate_threshold=50 failure_threshold=0 open_timeout=15s', 60, 110, 0.7],
  'mail:smtp': ['call_timeout=10s', 8, Infinity, 0],
  inventory: ['failure_threshold=3 open_timeout=20s half_open_timeout=1m', 15, 100, 1],
  recommendations: ['window=count:50 failure_rate_threshold=60', 30, 90, 0.25],
  'auth/ldap': ['preset=aggressive', 25, Infinity, 0],
  thumbnailer: ['max_concurrent=20', 50, Infinity, 0],
  'feature-flags': ['', 80, Infinity, 0],
};

async function turn(workers, now) {
  for (const [name, [, rate, failsFrom, share]] of Object.entries(BREAKERS)) {
    if (name === 'inventory' && now > LASTS_S - 25) continue; // whose next call is to be a probe, under way at the end
    const calls = Math.round(rate * TURN_S * (0.6 + 0.8 * Math.random()));
    const failures = now < failsFrom ? Number(Math.random() < 0.01) : Math.round(calls * share);
    const worker = workers[Math.floor(Math.random() * workers.length)];
    if (failures) await worker.say(`fail ${name} ${failures}`);
    if (calls > failures) await worker.say(`ok ${name} ${calls - failures}`);
  }
}

async function play(scene) {
  const workers = [];
  for (const title of ['web', 'web', 'web', 'queue']) workers.push(await scene.worker(title));
  await workers[3].say('hold thumbnailer');
  scene.cbctl('force-open', 'mail:smtp', '--for', '2h', '--reason', 'provider maintenance until 16:00, ticket 4711');
  const began = performance.now();
  for (let now = 0; now < LASTS_S; now = (performance.now() - began) / 1000) {
    await turn(workers, now);
    await sleep(TURN_S * 1000);
  }
  await workers[0].say('hold inventory');
}

async function shoot(browser, url, file, options) {
  const page = await browser.newPage({ ...options, reducedMotion: 'reduce' });
  await page.goto(url);
  await page.locator('#tiles .entry').first().waitFor();
  await page.screenshot({ path: join(into, file) });
  await page.close();
}

const sections = Object.entries(BREAKERS).map(([name, [policy]]) => `[${name}]\n${policy.replaceAll(' ', '\n')}\n`);
const scene = await Scene.open(sections.join(''), { registry: 'shop' });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
mkdirSync(into, { recursive: true });
try {
  await play(scene);
  const size = (width, height) => ({ viewport: { width, height } });
  const dark = { colorScheme: 'dark' };
  await shoot(browser, scene.url, 'dashboard.png', size(1210, 590));
  await shoot(browser, `${scene.url}#payments`, 'dashboard-details.png', { ...size(1000, 780), ...dark });
  await shoot(browser, scene.url, 'dashboard-phone.png', size(360, 740));
} finally {
  await browser.close();
  await scene.close();
}
