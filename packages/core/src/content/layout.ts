/** How a file becomes blocks. */
export interface FileLayout {
  /** Bytes of content in each leaf but the last. */
  readonly chunkBytes: number
  /** Most links in an inner node. */
  readonly maxLinks: number
}

/** The `unixfs-v1-2025` profile: CIDv1, sha2-256, raw leaves, a balanced tree. Equal bytes have equal CIDs everywhere. */
export const profile: FileLayout = { chunkBytes: 1024 * 1024, maxLinks: 1024 }

/**
 * Limits for content that others laid out. They are far above what any known importer writes, and bound the cost of hostile
 * content.
 */
export const readLimits: {
  readonly depth: number
  readonly links: number
  readonly nodeBytes: number
  readonly identityBytes: number
} = {
  /** Levels below the root. */
  depth: 32,
  /** Links in one node. */
  links: 8_192,
  /** Bytes of an inner node. */
  nodeBytes: 4 * 1024 * 1024,
  /** Bytes inside an identity CID. */
  identityBytes: 4_096
}

/** Multicodec codes. */
export const codecs: { readonly raw: 0x55; readonly dagPb: 0x70; readonly dagCbor: 0x71 } = {
  raw: 0x55,
  dagPb: 0x70,
  dagCbor: 0x71
}
