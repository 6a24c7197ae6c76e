/**
 * The version of the port. It rises with a change that an adapter or a layer of the version before does not satisfy: it must fail
 * at once and say why. UPGRADING.md says how to follow.
 */
export const portVersion = 1

/** `defineBackend` puts the version under it; layers hand it through. By `Symbol.for`, since two versions of core may be installed. */
export const portKey: unique symbol = Symbol.for('@p2pl/backend/port') as never
