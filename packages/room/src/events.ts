import type { Gap, P2plError, Subscription } from '@p2pl/core'
import type { RoomPeer } from './api.ts'

/** Anything that happens in a room apart from messages. */
export type RoomEvent =
  /** A peer came, left (it said goodbye, or was silent for too long), or changed its name. */
  | { readonly type: 'join' | 'leave' | 'change'; readonly peer: RoomPeer }
  /** A large payload is on its way to (`out`) or from (`in`) other peers. */
  | {
      readonly type: 'progress'
      readonly direction: 'in' | 'out'
      readonly channel: string
      /** The author of an incoming payload. */
      readonly sender: string
      readonly bytes: number
      readonly total: number
    }
  /** Messages were lost, or may have been. `full`: more peers are here than `maxPeers`. */
  | {
      readonly type: 'gap'
      readonly reason: Gap['reason'] | 'full'
      readonly sender?: string | undefined
      readonly count?: number | undefined
    }
  /** `healing`: messages may be missed now. */
  | { readonly type: 'state'; readonly state: Subscription['state'] }
  /** A peer sends the secret under which it continues. `room.rotate(secret)` follows it. */
  | { readonly type: 'secret'; readonly sender: string; readonly secret: Uint8Array }
  /** A failure that no call was waiting for. */
  | { readonly type: 'warning'; readonly error: P2plError }
