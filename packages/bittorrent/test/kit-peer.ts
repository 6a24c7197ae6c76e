import type { Engine } from '../src/engine/engine.ts'
import { bittorrent as real, type BittorrentBackend, type BittorrentOptions } from '../src/index.ts'

/** A peer that can be cut off while it goes on running: no connection stays, none is made or taken, no packet goes out or in. */
export interface KitPeer extends BittorrentBackend {
  isolate(cut: boolean): Promise<void>
}

export function bittorrent(options?: BittorrentOptions): KitPeer {
  const backend = real(options)
  const isolate = async (cut: boolean): Promise<void> => {
    const { engine } = backend
    if (engine === undefined) return
    const { gate, overlay } = engine as Engine & { gate: { allows?: unknown } }
    if (cut) gate.allows = () => false
    else Reflect.deleteProperty(gate, 'allows')
    for (const link of overlay.links.all()) if (cut) link.fail()
  }
  return Object.assign(backend, { isolate })
}
