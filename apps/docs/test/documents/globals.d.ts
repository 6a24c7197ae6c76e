import type * as fs from 'node:fs/promises'
import type * as torrents from '@p2pl/bittorrent'
import type * as core from '@p2pl/core'
import type * as port from '@p2pl/core/backend'
import type * as embeddedNode from '@p2pl/helia'
import type * as daemon from '@p2pl/ipfs-rpc'
import type * as kubo from '@p2pl/kubo'
import type * as layers from '@p2pl/layers'
import type * as adaptive from '@p2pl/layers/adaptive-timeout'
import type * as bridges from '@p2pl/layers/bridge'
import type * as caches from '@p2pl/layers/cache'
import type * as circuits from '@p2pl/layers/circuit-breaker'
import type * as slots from '@p2pl/layers/concurrency'
import type * as failovers from '@p2pl/layers/failover'
import type * as hedges from '@p2pl/layers/hedge'
import type * as logs from '@p2pl/layers/log'
import type * as meters from '@p2pl/layers/metrics'
import type * as mirrors from '@p2pl/layers/mirror'
import type * as races from '@p2pl/layers/race'
import type * as retries from '@p2pl/layers/retry'
import type * as budgets from '@p2pl/layers/retry-budget'
import type * as timeouts from '@p2pl/layers/timeout'
import type * as traces from '@p2pl/layers/tracing'
import type * as copies from '@p2pl/replication'
import type * as rooms from '@p2pl/room'
import type * as unixfs from '@p2pl/unixfs'
import type * as cids from 'multiformats/cid'
import type * as yjs from 'yjs'

// Documents show parts of programs. These are names that such parts use without declaring them.
declare global {
  const adaptiveTimeout: typeof adaptive.adaptiveTimeout
  const bittorrent: typeof torrents.bittorrent
  const bridge: typeof bridges.bridge
  const cache: typeof caches.cache
  const certifyDevice: typeof rooms.certifyDevice
  const CID: typeof cids.CID
  const circuitBreaker: typeof circuits.circuitBreaker
  const compose: typeof layers.compose
  const concurrency: typeof slots.concurrency
  const createPeer: typeof core.createPeer
  const createRetryBudget: typeof budgets.createRetryBudget
  const createSecret: typeof rooms.createSecret
  const failover: typeof failovers.failover
  const hedge: typeof hedges.hedge
  const helia: typeof embeddedNode.helia
  const ipfsRpc: typeof daemon.ipfsRpc
  const joinRoom: typeof rooms.joinRoom
  const Kubo: typeof kubo.Kubo
  const log: typeof logs.log
  const metrics: typeof meters.metrics
  const mirror: typeof mirrors.mirror
  const openReplication: typeof copies.openReplication
  const pinningService: typeof copies.pinningService
  const race: typeof races.race
  const retry: typeof retries.retry
  const timeout: typeof timeouts.timeout
  const tracing: typeof traces.tracing
  const verifyDevice: typeof rooms.verifyDevice
  const writeFile: typeof fs.writeFile

  const engine: core.Backend, backend: core.Backend, a: core.Backend, b: core.Backend
  const peer: core.Peer, alice: core.Peer, device: core.Peer, account: core.Identity, other: core.PeerInfo
  const aliceId: string, id: string, token: string, accessToken: string, ca: string
  const source: Uint8Array, answer: Uint8Array
  const room: rooms.Room, doc: yjs.Doc
  const folders: ReturnType<typeof unixfs.unixfs>
  const sink: meters.MetricsSink
  const capabilities: port.Capabilities
  function show(text: string): void

  /** The engine of an adapter's author. */
  interface PigeonEngine {
    ask(cid: unknown, signal: AbortSignal): Promise<Uint8Array>
    dial(peer: unknown, signal: AbortSignal): Promise<void>
    self(): { id: string; addresses: string[] }
    offer(blocks: unknown): void
    stop(): Promise<void>
  }
  function startEngine(blocks: unknown): Promise<PigeonEngine>
  function startServer(): Promise<{ port: number; close(): Promise<void> }>
  function startProxy(port: number): Promise<{ url: string; stall(): void; pass(): void; close(): Promise<void> }>
  function mine(options: { url: string }): core.Backend
}
