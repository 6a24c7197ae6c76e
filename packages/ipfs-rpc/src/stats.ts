/** Figures of a daemon. Apart from what reads them, because apps see their type and nothing that it is made with. */
export interface IpfsRpcStats {
  /** Bytes of the store. */
  readonly storageBytes: number
  /** Bytes from which on garbage collection is wanted; 0 when the daemon does not say. */
  readonly storageMaxBytes: number
  /** Bytes that the daemon received and sent since it runs. */
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly connections: number
}
