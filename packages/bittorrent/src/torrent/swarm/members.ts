import { failure } from '../../tools/failure.ts'

/** Names of private members of a carried library, and what they are. */
export type Members = Readonly<Record<string, 'function' | 'object'>>

/** Of each wire: overridden, so that what a stranger sends stays inside. */
export const wireMembers: Members = {
  _onMessageLength: 'function',
  _onMessage: 'function',
  _parse: 'function',
  _onRequest: 'function',
  _onCancel: 'function',
  choke: 'function',
  ut_metadata: 'object'
}

export const metadataMembers: Members = { _checkDone: 'function', setMetadata: 'function' }

/** Of each torrent: told the metadata that was read here, asked whose wire is whose, and kept from speaking when it is gone. */
export const torrentMembers: Members = { _onMetadata: 'function', _debug: 'function', _peers: 'object' }

/** Of the client: its own port is closed. */
export const clientMembers: Members = { _connPool: 'object' }

/**
 * Refuses to go on when the library is not the one that the fences were built for: without them, a stranger could end the process.
 * Throws `ENGINE`.
 */
export function needMembers(owner: object, members: Members): void {
  const has = (name: string): unknown => (owner as Readonly<Record<string, unknown>>)[name]
  const missing = Object.keys(members).filter((name) => typeof has(name) !== members[name] || has(name) === null)
  if (missing.length === 0) return
  throw failure({
    code: 'ENGINE',
    operation: 'torrents',
    message: `this build carries a version of WebTorrent that it cannot fence off (no ${missing.join(', ')}): install the released package again`
  })
}
