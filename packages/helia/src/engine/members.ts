import { P2plError } from '@p2pl/core/backend'

export type MemberType = 'function' | 'object' | 'string'

/** Paths of members (`score.addPeer`), and the type that each must have. */
export type Members = Readonly<Record<string, MemberType>>

/**
 * Checks that an object of the engine still has the unpublished members that this package relies on. Safety and
 * correctness depend on some of them, so a node without them must not start. Throws `ENGINE`.
 */
export function requireMembers(library: string, object: unknown, members: Members): void {
  for (const [path, type] of Object.entries(members)) {
    let found = object
    for (const name of path.split('.')) found = (found as Readonly<Record<string, unknown>> | null | undefined)?.[name]
    if (found === null || typeof found !== type)
      throw new P2plError({
        code: 'ENGINE',
        message: `${library} has no ${type} "${path}", which @p2pl/helia relies on: install exactly the version that the package.json of @p2pl/helia names`
      })
  }
}
