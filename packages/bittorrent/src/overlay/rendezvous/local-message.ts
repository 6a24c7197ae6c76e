import { fromHex, hexOf } from '../../tools/bytes.ts'
import type { Key } from '../keys.ts'

/** A local announcement (BEP 14). */
export interface LocalMessage {
  /** The sender's TCP port. */
  readonly port: number
  readonly keys: readonly Key[]
  /** Lets a sender recognise its own messages. */
  readonly cookie: string | undefined
}

export const localGroup = '239.192.152.143'
export const localPort = 6_771
/** The size of a datagram that no network splits: BEP 14 allows at most 1,400 bytes. */
export const maxLocalMessage = 1_400
/** As many as fit into one datagram. */
export const maxLocalKeys = 24
const maxCookie = 64

export function encodeLocal({ port, keys, cookie }: LocalMessage): Uint8Array {
  const lines = [
    'BT-SEARCH * HTTP/1.1',
    `Host: ${localGroup}:${localPort}`,
    `Port: ${port}`,
    ...keys.slice(0, maxLocalKeys).map((key) => `Infohash: ${hexOf(key)}`),
    ...(cookie === undefined ? [] : [`cookie: ${cookie}`]),
    '',
    '',
    ''
  ]
  return new Uint8Array(Buffer.from(lines.join('\r\n')))
}

/** Returns `undefined` for anything else. */
export function decodeLocal(bytes: Uint8Array): LocalMessage | undefined {
  if (bytes.byteLength > maxLocalMessage) return undefined
  const [first, ...lines] = Buffer.from(bytes).toString('latin1').split('\r\n')
  if (first !== 'BT-SEARCH * HTTP/1.1') return undefined
  const keys: Key[] = []
  let port = 0
  let cookie: string | undefined
  for (const line of lines) {
    const [, name = '', value = ''] = /^([A-Za-z]{1,16}): {0,4}(\S{1,128})$/.exec(line) ?? []
    const key = /^[0-9a-f]{40}$/i.test(value) ? fromHex(value) : undefined
    if (name.toLowerCase() === 'port' && /^\d{1,5}$/.test(value)) port = Number(value)
    else if (name.toLowerCase() === 'infohash' && key !== undefined && keys.length < maxLocalKeys) keys.push(key)
    else if (name.toLowerCase() === 'cookie') cookie = value.slice(0, maxCookie)
  }
  if (port < 1 || port > 65_535 || keys.length === 0) return undefined
  return { port, keys, cookie }
}
