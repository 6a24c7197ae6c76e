/** Limits of everything that other peers can send. They are part of the rules: all peers must agree on them. */

/** Largest payload of an entry in bytes. */
export const maxPayloadBytes = 2_048
/** The most parents of an entry, which are the earlier tips that it approves. */
export const maxParents = 8
/** The largest amount, and the largest sum of all balances: 2^63 − 1, so that every language has an integer for it. */
export const maxAmount: bigint = 2n ** 63n - 1n
/** UTF-8 bytes. */
export const maxMemoBytes = 280
/** UTF-8 bytes. */
export const maxReferenceBytes = 64
/** UTF-8 bytes. */
export const maxNameBytes = 255
/** UTF-8 bytes. */
export const maxMediaTypeBytes = 127
/** UTF-8 bytes. */
export const maxNetworkNameBytes = 64
/** Each has one bit of a 32-bit mask. */
export const maxWitnesses = 31
/** The most accounts with an initial balance. */
export const maxInitialAccounts = 4_096
/** The largest genesis block in bytes. */
export const maxGenesisBytes: number = 512 * 1_024
