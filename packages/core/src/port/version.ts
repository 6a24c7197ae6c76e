/**
 * The version of the port. It rises with every change that breaks adapters or layers written for the previous version: they
 * must fail at once and say why. UPGRADING.md says how to upgrade.
 */
export const portVersion = 1

/**
 * `defineBackend` stores the version under this key; layers pass it through. It is made by `Symbol.for`, because two
 * versions of core may be installed.
 */
export const portKey: unique symbol = Symbol.for('@p2pl/backend/port') as never
