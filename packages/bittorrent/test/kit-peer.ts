import type { Engine } from '../src/engine/engine.ts'
import { bittorrent as real, type BittorrentBackend, type BittorrentOptions } from '../src/index.ts'

/** A peer that can be cut off while it goes on running: no connection stays, none is made or taken, no packet goes out or in. */
export interface KitPeer extends BittorrentBackend {
  isolate(cut: boolean): Promise<void>
}

export function bittorrent(options?: BittorrentOptions): KitPeer {
  const backend = real(options)
  const watched = new WeakSet<Engine>()
  let isCut = false
  const isolate = async (cut: boolean): Promise<void> => {
    const engine = backend.engine as (Engine & { gate: { allows?: unknown } }) | undefined
    if (engine === undefined) return
    const { gate, overlay } = engine
    isCut = cut
    if (cut) gate.allows = () => false
    else Reflect.deleteProperty(gate, 'allows')
    for (const link of overlay.links.all()) if (cut) link.fail()
    if (watched.has(engine)) return
    watched.add(engine)
    // A connection that was being opened when the cut came has become a link after it.
    overlay.links.tell({ opened: (link) => isCut && link.fail() })
  }
  return Object.assign(backend, { isolate })
}
