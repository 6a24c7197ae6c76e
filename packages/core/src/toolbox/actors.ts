import type { Peer } from '../api/peer.ts'
import { invalidArgument } from '../errors.ts'
import { type Identity, peerIdFromPublicKey, publicKeyLength } from '../identity.ts'
import type { Backend } from '../port/backend.ts'
import { portKey, portVersion } from '../port/version.ts'
import { isBytes } from './bytes.ts'
import { isPromise } from './options.ts'

/** `INVALID_ARGUMENT` for anything but a peer, such as a backend, or the promise of a peer. */
export function checkPeer(operation: string, peer: unknown): void {
  const { topic, data } = (peer ?? {}) as Partial<Peer>
  if (typeof topic === 'function' && typeof data?.add === 'function') return
  const fix = isPromise(peer) ? 'it is a promise, so await it first' : 'give it the awaited result of createPeer'
  throw invalidArgument(operation, `${operation}: this is not a peer: ${fix}`)
}

/** `INVALID_ARGUMENT` for anything but a backend of this version of the port. A backend that was made by hand has no version. */
export function checkBackend(operation: string, name: string, value: unknown): asserts value is Backend {
  const backend = (value ?? {}) as Partial<Backend> & { readonly [portKey]?: number }
  const { start, stop, capabilities, [portKey]: version = portVersion } = backend
  if (typeof start !== 'function' || typeof stop !== 'function' || capabilities === undefined) {
    const fix = isPromise(value) ? 'it is a promise, so await it first' : "pass the result of an adapter's factory"
    throw invalidArgument(operation, `${operation}: ${name} is not a backend: ${fix}`)
  }
  if (version === portVersion) return
  const fix =
    version < portVersion
      ? 'install a newer release of its adapter. The author of the adapter finds the steps in UPGRADING.md of p2pl'
      : 'install a newer release of @p2pl/core, and of the other packages of p2pl with it'
  throw invalidArgument(
    operation,
    `${operation}: the backend "${backend.name}" was made for version ${version} of the port, and this @p2pl/core has version ${portVersion}: ${fix}`
  )
}

/** `INVALID_ARGUMENT` for anything but an identity and `undefined`. */
export function checkIdentity(operation: string, identity: unknown): void {
  if (identity === undefined) return
  const { id, publicKey, sign } = (identity ?? {}) as Partial<Identity>
  const isComplete = isBytes(publicKey) && publicKey.byteLength === publicKeyLength && typeof sign === 'function'
  if (isComplete && peerIdFromPublicKey(publicKey) === id) return
  throw invalidArgument(
    operation,
    `${operation}: identity must be the result of createIdentity or identityFromSeed, awaited`
  )
}
