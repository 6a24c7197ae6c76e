// Runs inside of a browser page: bundled by the test.
import type { Libp2p } from '@libp2p/interface'
import { createPeer, isP2plError, type Peer, type PeerInfo } from '@p2pl/core'
import { beCabled } from './cabled.ts'
import { helia, type HeliaNode, type HeliaOptions, whenFree } from '../../src/index.ts'
import type { OverWebRtc } from '../../src/runtime/page-links.ts'

let peer: Peer | undefined
let backend: HeliaNode | undefined
let waiting: string | undefined
let free = false
const heard = new Map<string, string[]>()

function running(): Peer {
  if (peer === undefined) throw new Error('nothing runs in this page')
  return peer
}

function libp2p(): Libp2p {
  if (backend?.engine === undefined) throw new Error('nothing runs in this page')
  return backend.engine.libp2p
}

function self(): PeerInfo {
  const [only] = running().network.self()
  if (only === undefined) throw new Error('a page is on one network')
  return only
}

/** Bytes that the test makes, too, without sending them. */
function pattern(size: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) % 251)
}

/**
 * Makes a page slow that dials. The last thing it does for an agreement is to set the answer; then the engine looks at the
 * channel that it has made for it, and that the other side closes, too, as soon as it is through.
 */
class LateConnection extends RTCPeerConnection {
  static made = 0
  #closed: Promise<void> | undefined

  override createDataChannel(label: string, options?: RTCDataChannelInit): RTCDataChannel {
    const channel = super.createDataChannel(label, options)
    if (label === 'init') {
      LateConnection.made++
      this.#closed = new Promise((resolve) => channel.addEventListener('close', () => resolve(), { once: true }))
    }
    return channel
  }

  override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    await super.setRemoteDescription(description)
    await this.#closed
  }
}

const page = {
  async start(options: HeliaOptions): Promise<{ id: string; milliseconds: number }> {
    const before = performance.now()
    backend = helia(options)
    peer = await createPeer({ backend })
    return { id: self().id, milliseconds: performance.now() - before }
  },
  async stop(): Promise<void> {
    await peer?.stop()
    peer = undefined
  },
  /** The code and message with which the options are refused. */
  refusal(options: HeliaOptions): unknown {
    try {
      helia(options)
      return undefined
    } catch (error) {
      return isP2plError(error) ? { code: error.code, message: error.message } : String(error)
    }
  },
  async startError(options: HeliaOptions): Promise<unknown> {
    try {
      await createPeer({ backend: helia(options) })
      return undefined
    } catch (error) {
      return isP2plError(error) ? { code: error.code, message: error.message } : String(error)
    }
  },
  entitle(title: string): void {
    document.title = title
  },
  /** Waits for `dir` in the background. */
  waitFor(dir: string): void {
    whenFree(dir, { onWait: (holder) => void (waiting = holder) }).then(
      () => void (free = true),
      (error: unknown) => void (waiting = String(error))
    )
  },
  /** The code of the error of a wait that is given up after this time. */
  waitError: async (dir: string, ms: number) => {
    try {
      await whenFree(dir, { signal: AbortSignal.timeout(ms) })
      return undefined
    } catch (error) {
      return isP2plError(error) ? error.code : String(error)
    }
  },
  /** The tab that it waits for. */
  waiting: () => waiting,
  free: () => free,
  self,
  /** To be called before anything starts: the page goes on with an agreement only when the other side is through with it. */
  beLate(): void {
    globalThis.RTCPeerConnection = LateConnection
  },
  /** How many agreements a late page has begun. */
  agreements: () => LateConnection.made,
  beCabled,
  connect: async (other: PeerInfo) => await running().network.connect(other),
  /** Addresses of the connections that carry topics and blocks. */
  connections: () => {
    return libp2p()
      .getConnections()
      .filter(({ limits, status }) => limits === undefined && status === 'open')
      .map(({ remoteAddr, remotePeer }) => ({ peer: remotePeer.toString(), address: remoteAddr.toString() }))
  },
  /** The state of each WebRTC connection's DTLS, by the way that the package takes to it. */
  dtls: () => {
    return libp2p()
      .getConnections()
      .filter(({ limits }) => limits === undefined)
      .map((one) => (one as OverWebRtc).maConn?.peerConnection?.sctp?.transport.state)
      .filter((state) => state !== undefined)
  },
  async listen(topic: string): Promise<void> {
    const subscription = running().topic(topic).subscribe()
    await subscription.joined
    const texts: string[] = []
    heard.set(topic, texts)
    void (async () => {
      for await (const item of subscription)
        if (item.type === 'message') texts.push(new TextDecoder().decode(item.payload))
    })()
  },
  heard: (topic: string) => heard.get(topic),
  peers: async (topic: string) => (await running().topic(topic).peers()).map(({ id }) => id),
  async say(topic: string, text: string): Promise<void> {
    await running().topic(topic).publish(new TextEncoder().encode(text))
  },
  async add(size: number, seed: number): Promise<string> {
    const { cid } = await running().data.add(new Blob([pattern(size, seed)]))
    return cid.toString()
  },
  /** Whether the content is the pattern, whole. */
  async holds(cid: string, size: number, seed: number): Promise<boolean> {
    const bytes = await running().data.bytes(cid)
    const expected = pattern(size, seed)
    return bytes.length === size && bytes.every((byte, i) => byte === expected[i])
  },
  has: async (cid: string) => await running().data.has(cid, { deep: true }),
  provide: async (cid: string) => await running().data.provide(cid)
}

Object.assign(globalThis, { page })
