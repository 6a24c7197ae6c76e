import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, starting } from '../harness/program.ts'
import type { Contender, Scenario } from '../harness/scenario.ts'
import { haveAlternatives } from '../stacks/alternatives.ts'

const bench = fileURLToPath(new URL('../..', import.meta.url))

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

/** They run in their own folder, because their packages are there. */
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

const sideIn =
  (cwd: string) =>
  (program: Program): Contender => ({ ...program, prepare: (context) => starting(program, { cwd }, context) })
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
