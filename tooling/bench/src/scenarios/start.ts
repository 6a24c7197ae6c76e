import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender, Context, Kind, Scenario, Side } from '../harness/scenario.ts'
import type { Usage } from '../harness/usage.ts'
import { now } from '../roles/timing.ts'
import { haveAlternatives } from '../stacks/alternatives.ts'

// A program of a few lines, as a user would write it. It is plain JavaScript and imports what is published, so that no source has to be
// stripped of its types first.

const bench = fileURLToPath(new URL('../..', import.meta.url))
/** For how long a process that is ready is left alone before its memory counts. */
const idle = 2_000

interface Report {
  readonly ready: number
  readonly imported: number
  readonly usage: Usage
}

/** `imports` evaluates to modules; `start` uses them, as `m`. */
interface Program {
  readonly label: string
  readonly kind: Kind
  readonly aim?: number
  readonly imports: string
  readonly start: string
}

const programs: readonly Program[] = [
  {
    label: 'p2pl',
    kind: 'p2pl',
    imports: `[import('@p2pl/core'), import('@p2pl/helia')]`,
    start: `await m[0].createPeer({ backend: m[1].helia() })`
  },
  {
    label: 'p2pl bittorrent',
    kind: 'p2pl',
    imports: `[import('@p2pl/core'), import('@p2pl/bittorrent')]`,
    start: `await m[0].createPeer({ backend: m[1].bittorrent() })`
  },
  { label: 'core alone', kind: 'p2pl', imports: `[import('@p2pl/core')]`, start: '' },
  {
    label: 'bare Helia',
    kind: 'engine',
    imports: `[
      import('helia'), import('@helia/libp2p'), import('@helia/bitswap'), import('@helia/unixfs'), import('@libp2p/tcp'),
      import('@libp2p/noise'), import('@libp2p/yamux'), import('@libp2p/identify'), import('@libp2p/ping'),
      import('@libp2p/kad-dht'), import('@libp2p/gossipsub')
    ]`,
    start: `
      const [h, l, b, u, t, n, y, i, p, k, g] = m
      const helia = b.withBitswap(l.withLibp2pLight(h.createHeliaLight(), {
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        transports: [t.tcp()], connectionEncrypters: [n.noise()], streamMuxers: [y.yamux()],
        services: {
          identify: i.identify(), identifyPush: i.identifyPush(), ping: p.ping(),
          dht: k.kadDHT({ protocol: '/p2pl-bench/kad/1.0.0', clientMode: false, peerInfoMapper: k.passthroughMapper }),
          pubsub: g.gossipsub()
        }
      }))
      await helia.start()
      u.unixfs(helia)`
  },
  {
    label: 'WebTorrent',
    kind: 'alternative',
    imports: `[import('webtorrent')]`,
    start: `
      const client = new m[0].default({ dht: false, tracker: false, lsd: false, natUpnp: false, natPmp: false, utp: false })
      if (client.torrentPort === 0) await new Promise((resolve) => client.once('listening', resolve))`
  },
  { label: 'Node', kind: 'limit', imports: '[]', start: '' }
]

/** They run in their own folder, where their packages are. */
const alternatives: readonly Program[] = [
  {
    label: 'Hyperswarm',
    kind: 'alternative',
    aim: 1,
    imports: `[import('hyperswarm'), import('hyperdht')]`,
    start: `
      const dht = new m[1].default({ bootstrap: [], host: '127.0.0.1', firewalled: false })
      await new m[0].default({ dht }).listen()`
  },
  {
    label: 'Hypercore',
    kind: 'alternative',
    imports: `[import('hypercore')]`,
    start: `await new m[0].default(process.env.BENCH_FOLDER).ready()`
  },
  {
    label: 'iroh',
    kind: 'alternative',
    imports: `[import('@number0/iroh')]`,
    start: `await m[0].Iroh.memory({ nodeDiscovery: 'None', ipv4Addr: '127.0.0.1:0' })`
  }
]

const source = ({ imports, start }: Program): string => `
  const before = performance.now()
  const m = await Promise.all(${imports})
  const imported = performance.now() - before
  ${start}
  const ready = Number(process.hrtime.bigint()) / 1e6
  setTimeout(() => {
    const { user, system } = process.cpuUsage()
    process.send({ ready, imported, usage: { cpu: (user + system) / 1e3, peak: process.memoryUsage.rss() / 2 ** 20 } })
  }, ${idle})
  process.on('disconnect', () => process.exit())`

async function starting(program: Program, cwd: string, context: Context): Promise<Side> {
  const isBuilt = existsSync(join(bench, '../../packages/helia/dist'))
  if (program.imports.includes('@p2pl/') && !isBuilt)
    context.note('ran from source, which costs as much again: build the packages first (npx turbo run build)')
  let total: Usage = { cpu: 0, peak: 0 }
  context.meter.add(async () => total)
  return {
    run: async () => {
      const words = [process.execPath, ...(isBuilt ? [] : ['-C', '@p2pl/source']), '--input-type=module', '--eval']
      const env = { ...process.env, BENCH_FOLDER: await mkdtemp(join(context.folder, 'start-')) }
      const [execPath, ...execArgv] = context.meter.loopback?.inside(...words) ?? words
      const begin = now()
      const child = fork(source(program), { execPath: execPath as string, execArgv, cwd, env })
      const [report] = (await once(child, 'message')) as [Report]
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
      total = { cpu: total.cpu + report.usage.cpu, peak: report.usage.peak }
      return {
        figure: report.ready - begin,
        work: 1,
        also: { 'import ms': report.imported, 'idle MiB': report.usage.peak }
      }
    }
  }
}

const sideIn =
  (cwd: string) =>
  (program: Program): Contender => ({ ...program, prepare: (context) => starting(program, cwd, context) })
const [subject, ...others] = programs.map(sideIn(bench))
const installed = haveAlternatives() ? alternatives.map(sideIn(join(bench, 'alternatives'))) : []

const scenarios: Scenario[] = [
  {
    name: 'start',
    title: 'from the spawn of a process to a peer that is ready, from the published files',
    unit: 'ms',
    better: 'lower',
    sides: [subject as Contender, ...others, ...installed]
  }
]

export default scenarios
