/** Figures of a daemon. In a file of its own, because apps see their type and nothing of the library that reads them. */
export interface IpfsRpcStats {
  /** Bytes of the store. */
  readonly storageBytes: number
  /** Bytes from which on garbage collection is wanted; 0 when the daemon does not say. */
  readonly storageMaxBytes: number
  /** Bytes that the daemon has received and sent since it runs. */
  readonly receivedBytes: number
  readonly sentBytes: number
}
