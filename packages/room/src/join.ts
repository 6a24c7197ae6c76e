import { type Codec, json, type Peer } from '@p2pl/core'
import { abortError, checkKeys, checkMethods, checkNumber, checkPeer, throwIfAborted } from '@p2pl/core/backend'
import type { Json, Room, RoomOptions } from './api.ts'
import { checkCertificate, checkName, checkRoomName } from './options.ts'
import { JoinedRoom } from './room.ts'
import { secretKey } from './secrets/secret.ts'

const keys: readonly (keyof RoomOptions)[] = [
  'name',
  'secret',
  'codec',
  'history',
  'account',
  'maxPeers',
  'maxPayloadBytes',
  'beat',
  'signal'
]
/**
 * Joins a room: all peers with the same name, and the same secret, on the same network. Resolves when this peer listens.
 * Other peers appear as they answer. The room keeps the process alive until `leave`. Throws `INVALID_ARGUMENT`,
 * `UNSUPPORTED` for a backend without messages, `TIMEOUT`, `ABORTED`, `NOT_RUNNING`, and the errors of the engine.
 */
export async function joinRoom<T = Json>(peer: Peer, room: string, options: RoomOptions<T> = {}): Promise<Room<T>> {
  checkPeer('joinRoom', peer)
  checkKeys('joinRoom', options, keys)
  checkMethods('joinRoom', 'codec', options.codec, ['encode', 'decode'])
  checkCertificate(options.account)
  const { signal, codec = json as Codec<T>, account, secret } = options
  const name = checkRoomName(room)
  const number = (
    key: 'history' | 'maxPeers' | 'beat' | 'maxPayloadBytes',
    min: number,
    max: number,
    otherwise: number
  ) => checkNumber('joinRoom', key, options[key], { min, max, integer: true }, otherwise)
  const visit = {
    history: number('history', 0, 10_000, 0),
    maxPeers: number('maxPeers', 1, 4_096, 256),
    beat: number('beat', 500, 60_000, 5_000)
  }
  const maxPayloadBytes = number('maxPayloadBytes', 1, 2 ** 31 - 1, 16 * 1024 * 1024)
  const init = { peer, room: name, codec, name: checkName('joinRoom', options.name), account, maxPayloadBytes, visit }
  throwIfAborted('joinRoom', signal)
  const key = secret === undefined ? undefined : await secretKey(secret, name)
  const entered = await JoinedRoom.join({ ...init, secret: key })
  const leave = (): void => {
    entered.leave().catch(() => undefined)
  }
  signal?.addEventListener('abort', leave, { once: true })
  if (signal === undefined || !isAborted(signal)) return entered
  await entered.leave()
  throw abortError('joinRoom', signal)
}

/** The signal may have fired meanwhile. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
