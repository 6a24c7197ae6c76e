import { randomBytes } from 'node:crypto'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { openView, type View } from '@p2pl/sync'
import type { Role } from '../harness/child.ts'
import { timed } from './mailbox.ts'
import type { PeerAddress } from './node.ts'

/** A peer with a view in a folder. Times are milliseconds. */
export interface ViewNode {
  self(): Promise<PeerAddress>
  /** Appends entries as many callers at once would, and waits until all are on disk. */
  append(count: number, payloadBytes: number, atOnce: number): Promise<{ time: number }>
  /** Connects to the other, opens the view and waits until it has that many entries. */
  catchUp(from: PeerAddress, count: number): Promise<{ time: number; wait: number }>
}

const patience = 240_000

const viewNode: Role<{ folder: string }, ViewNode> = async ({ folder }) => {
  const peer = await createPeer({ backend: helia() })
  let onEntry: () => void = () => undefined
  const open = (): Promise<View> =>
    openView({
      peer,
      topic: 'bench',
      store: folder,
      onEvent: (event) => {
        if (event.type === 'entry') onEntry()
      }
    })
  let opened: Promise<View> | undefined
  const view = (): Promise<View> => (opened ??= open())

  return {
    self: async () => peer.network.self(),
    append: async (count, payloadBytes, atOnce) => {
      const at = await view()
      const payloads = Array.from({ length: count }, () => randomBytes(payloadBytes))
      let next = 0
      const caller = async (): Promise<void> => {
        while (next < count) await at.append(payloads[next++] as Uint8Array)
      }
      return { time: await timed(() => Promise.all(Array.from({ length: atOnce }, caller))) }
    },
    catchUp: async (from, count) => {
      await peer.network.connect(from)
      const begin = performance.now()
      let first = 0
      const complete = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`not all ${count} entries came within ${patience} ms`)),
          patience
        )
        let got = 0
        onEntry = () => {
          if (got++ === 0) first = performance.now()
          if (got < count) return
          clearTimeout(timer)
          resolve()
        }
      })
      await view()
      await complete
      return { time: performance.now() - begin, wait: first - begin }
    }
  }
}

export default viewNode
