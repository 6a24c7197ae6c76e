/** What Bitswap carries between any two implementations. */
export const maxBlockBytes: number = 2 * 1024 * 1024

/** Multihash codes that blocks may be addressed by: sha2-256 and sha2-512. */
export const hashCodes: readonly number[] = [0x12, 0x13]
