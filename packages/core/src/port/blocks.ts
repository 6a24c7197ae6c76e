import type { CID } from 'multiformats/cid'
import type { AbortOptions, Block, PeerInfo } from './common.ts'

export interface GetBlockOptions extends AbortOptions {
  /** Look in the own store only; a block that is not there rejects with `NOT_FOUND` at once. */
  local?: boolean | undefined
  /** A hint: participants that probably have the block (their `self()`). A backend may ask them first, connecting if need be. */
  providers?: readonly PeerInfo[] | undefined
  /** A hint: the root of the DAG that the block belongs to, for engines with sessions or whole-file transfer. */
  root?: CID | undefined
}

export interface PinOptions extends AbortOptions {
  /** Hold everything below the root, too. Default true. Missing blocks are fetched first. */
  recursive?: boolean | undefined
}

export interface Pin {
  readonly cid: CID
  readonly recursive: boolean
}

/**
 * Blocks by CID, in a store of the backend's own and, where `remote` is declared, from other participants.
 *
 * - *Keys*: a block is found by its multihash: CIDs of another version or codec with an equal multihash name the same
 *   bytes. Identity CIDs never reach the backend: core answers them.
 * - *Trust*: `get` may return anything; core hashes it. `put` may trust its caller.
 * - *Announcing*: storing never announces. Who wants others to find a block calls `routing.provide`.
 * - *Store calls* (`put`, `putMany`, `has`, `delete`, `pins`, `gc`) act on the own store and never wait for the network.
 * - *Visibility*: what `put` has resolved for is seen by every later call here, and served to others who ask.
 * - *Retries*: none.
 */
export interface BlockTransport {
  /**
   * The block's bytes. Rejects with `NOT_FOUND` when it is certain that it cannot be had now, otherwise looks for it until
   * the signal fires: a participant that appears later may still deliver it.
   */
  get(cid: CID, options?: GetBlockOptions): Promise<Uint8Array>
  /** Stores one block as durably as `persistence` says. A block that is there already is not an error. */
  put(block: Block, options?: AbortOptions): Promise<void>
  /** Stores many, faster than one by one where the engine can; all are durable when it resolves. On failure any part may be stored. */
  putMany(blocks: Iterable<Block> | AsyncIterable<Block>, options?: AbortOptions): Promise<void>
  /** Whether the own store holds the block. */
  has(cid: CID, options?: AbortOptions): Promise<boolean>
  /** Removes the block from the own store. A block that is not there is not an error; a pinned one rejects with `PINNED`. */
  delete(cid: CID, options?: AbortOptions): Promise<void>
  /**
   * Protects from `delete` and `gc`, across restarts where the store persists. Resolves when everything that is pinned is
   * stored here. Pinning again is not an error; a recursive pin replaces a direct one.
   */
  pin(cid: CID, options?: PinOptions): Promise<void>
  /** Ends a pin. A CID that is not pinned is not an error. */
  unpin(cid: CID, options?: AbortOptions): Promise<void>
  /** The pins themselves, not what they protect indirectly. */
  pins(options?: AbortOptions): AsyncIterable<Pin>
  /** Removes every block that no pin protects and yields the CID of each (its codec may be reported as raw). */
  gc(options?: AbortOptions): AsyncIterable<CID>
  /**
   * All blocks of the DAG below `root`, the root first, each once, parents before children.
   * Unverified like `get`. Present exactly when `capabilities.blocks.dag` is not `none`.
   */
  getDag?(root: CID, options?: GetBlockOptions): AsyncIterable<Block>
}
