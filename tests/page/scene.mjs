// What the page's tests need: a daemon of their own that serves it, workers that do as they are told, a browser.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { REGISTRYD_PATH, CBCTL_PATH, WORKER_PATH } = process.env;
export const TOKEN = 'a-token-of-these-tests';
let count = 0;
const scenes = new Set(); // that are open

process.on('exit', () => scenes.forEach((scene) => scene.remove()));

// A child that does not outlive us, whatever becomes of us.
function spawnLeashed(file, args, options) {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', file, ...args], options);
}

function ended(child) {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');
}

// A worker process that does as it is told: see worker.c.
class Worker {
  constructor(registry, title) {
    this.child = spawnLeashed(WORKER_PATH, [registry, title], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin.on('error', () => {}); // it has been killed
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.child.pid;
  }

  async hears() {
    return (await this.lines.next()).value;
  }

  // Returns when the command was carried out.
  async say(command) {
    this.child.stdin.write(`${command}\n`);
    const answer = await this.hears();
    if (answer !== 'done') throw new Error(`worker: ${command}: ${answer}`);
  }

  async end() {
    this.child.stdin.end();
    await ended(this.child);
  }

  async kill() {
    this.child.kill('SIGKILL');
    await ended(this.child);
  }
}

export class Scene {
  // `sections`: of registryd.conf, besides [registryd]. `token`: whether actions are configured.
  static async open(sections = '', { token = true, registry = `page-${process.pid}-${++count}` } = {}) {
    const scene = new Scene();
    scene.registry = registry;
    scene.dir = mkdtempSync(join(tmpdir(), 'registryd-page-'));
    scene.workers = [];
    scenes.add(scene);
    writeFileSync(join(scene.dir, 'token'), `${TOKEN}\n`, { mode: 0o600 });
    const keys = token ? `http_token_file = ${join(scene.dir, 'token')}\n` : '';
    writeFileSync(join(scene.dir, 'registryd.conf'), `[registryd]\n${keys}${sections}`);
    await scene.startDaemon('127.0.0.1:0');
    return scene;
  }

  get options() {
    return ['--registry', this.registry, '--runtime-dir', this.dir];
  }

  // Returns when the daemon has said where it serves; it serves there again after a restart.
  async startDaemon(address = new URL(this.url).host) {
    const config = ['--config', join(this.dir, 'registryd.conf')];
    const args = [...this.options, ...config, '--http', address];
    this.daemon = spawnLeashed(REGISTRYD_PATH, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    const said = [];
    for await (const line of createInterface({ input: this.daemon.stderr })) {
      said.push(line);
      const [url] = line.match(/http:\/\/[0-9.:]+/) ?? [];
      if (url) {
        this.daemon.stderr.resume();
        this.url = `${url}/`;
        return;
      }
    }
    throw new Error(`registryd did not say where it serves HTTP: ${said.join('\n')}`);
  }

  async endDaemon(signal) {
    this.daemon.kill(signal);
    await ended(this.daemon);
  }

  // Run cbctl; returns what it printed.
  cbctl(...args) {
    const run = spawnSync(CBCTL_PATH, [...args, '--registry', this.registry], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`cbctl ${args.join(' ')}: ${run.stderr}`);
    return run.stdout;
  }

  async worker(title = 'worker') {
    const worker = new Worker(this.registry, title);
    this.workers.push(worker);
    const said = await worker.hears();
    if (said !== 'ready') throw new Error(`worker: ${said}`);
    return worker;
  }

  // End everything and leave nothing.
  async close() {
    for (const worker of this.workers) await worker.end();
    await this.endDaemon('SIGTERM');
    const purge = this.remove();
    if (purge.status !== 0) throw new Error(`registryd --purge: ${purge.stderr}`);
  }

  // What is left when the daemon is gone, or is to go now.
  remove() {
    scenes.delete(this);
    this.daemon?.kill('SIGKILL');
    const purge = spawnSync(REGISTRYD_PATH, [...this.options, '--purge'], { encoding: 'utf8' });
    rmSync(this.dir, { recursive: true });
    return purge;
  }
}
