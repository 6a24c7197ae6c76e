/**
 * Figures of a daemon. They have a separate file, because apps see their type and nothing of the library that reads
 * them.
 */
export interface IpfsRpcStats {
  /** The size of the store in bytes. */
  readonly storageBytes: number
  /** The store size in bytes from which garbage should be collected; 0 when the daemon does not say. */
  readonly storageMaxBytes: number
  /** The bytes that the daemon has received and sent since it started. */
  readonly receivedBytes: number
  readonly sentBytes: number
}
