/** Kubo's own limit of a block, in bytes. */
export const maxBlockBytes: number = 2 * 1024 * 1024

/**
 * Largest payload of one message, in bytes. A daemon drops a sender for good when one of its messages nears 1 MiB,
 * so this keeps well below; larger payloads travel as content.
 */
export const maxMessageBytes: number = 256 * 1024
