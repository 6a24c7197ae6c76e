import { invalidArgument } from '../errors.ts'
import type { Backend } from '../port/backend.ts'

/**
 * `defineBackend` stores a token under this key; layers pass it through. It is made by `Symbol.for`, because two versions
 * of core may be installed.
 */
export const ownershipKey: unique symbol = Symbol.for('@p2pl/backend/ownership') as never

export interface Ownership {
  taken: boolean
}

const foreign = new WeakMap<Backend, Ownership>()

/**
 * Takes backends for one peer. Returns the function that gives them back. Throws `INVALID_ARGUMENT` if another peer has one
 * of them.
 */
export function takeBackends(backends: readonly Backend[]): () => void {
  const tokens = new Set<Ownership>()
  for (const backend of backends) {
    const token = tokenOf(backend)
    if (token.taken) {
      throw invalidArgument(
        'createPeer',
        `the backend "${backend.name}" serves another peer: give each peer a backend of its own`
      )
    }
    tokens.add(token)
  }
  for (const token of tokens) token.taken = true
  return () => {
    for (const token of tokens) token.taken = false
  }
}

function tokenOf(backend: Backend): Ownership {
  const own = (backend as { [ownershipKey]?: Ownership })[ownershipKey]
  if (own !== undefined) return own
  const token = foreign.get(backend) ?? { taken: false }
  foreign.set(backend, token)
  return token
}
