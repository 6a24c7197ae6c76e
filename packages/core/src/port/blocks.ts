import type { CID } from 'multiformats/cid'
import type { Block, Call, HookOptions, PeerInfo, Progress } from './common.ts'

export interface GetBlockOptions extends HookOptions {
  /** Look in the local store only. A block that is not there rejects with `NOT_FOUND` at once. */
  readonly local?: boolean | undefined
  /** Ask other peers only, as if the local store were empty. A good block that arrives replaces the stored one. */
  readonly remote?: boolean | undefined
  /**
   * A hint: peers of this network that probably have the block, never the local one. A backend may ask them first, and
   * connect to them. Hints may come from strangers (a signed message with a large payload names its providers), so a
   * backend dials only addresses that its network profile allows, limits its dials, and keeps no connection because of
   * them.
   */
  readonly providers?: readonly PeerInfo[] | undefined
  /** A hint: the root of the DAG that the block belongs to, for engines with sessions or whole-file transfer. */
  readonly root?: CID | undefined
}

export interface PinOptions extends HookOptions {
  /** Also hold everything below the root. Default true. */
  readonly recursive?: boolean | undefined
  /** A hint for blocks that are missing, as in {@link GetBlockOptions}. */
  readonly providers?: readonly PeerInfo[] | undefined
  /** Maximum bytes of blocks that the pin may hold. Above it `pin` rejects with `TOO_LARGE` and pins nothing. Default: no limit. */
  readonly maxBytes?: number | undefined
  /** Called for each block, once it is stored here. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export interface Pin {
  readonly cid: CID
  readonly recursive: boolean
}

/**
 * Blocks by CID, in the backend's local store and, if `remote` is declared, from other peers.
 *
 * - *Keys*: a block is found by its multihash: CIDs of another version or codec with an equal multihash name the same
 *   bytes. Identity CIDs never reach the backend: core answers them.
 * - *Trust*: `get` may return anything; core hashes it. `put` may trust its caller.
 * - *Providing*: storing a block puts out no provider record. `routing.provide` does.
 * - *Store calls* (`putMany`, `has`, `delete`, `unpin`, `pins`, `gc`) act on the local store and never wait for the
 *   network.
 * - *Visibility*: a block that `putMany` has stored is seen by every later call here, and served to others who ask.
 * - *Durability*: a write that has resolved survives what `persistence` says, even if an earlier or later write fails.
 *   After a failed write the store has either recovered, or refuses further writes with `STORAGE`.
 * - *Retries*: none.
 */
export interface BlockHooks {
  /**
   * The block's bytes. Rejects with `NOT_FOUND` when the block certainly cannot be found now. Otherwise keeps looking until
   * the signal fires, since a peer that appears later may still deliver it.
   */
  get(cid: CID, options: GetBlockOptions): Promise<Uint8Array>
  /**
   * Stores blocks as durably as `persistence` says. A block that is already there is not an error. After a failure any of
   * the blocks may be stored.
   */
  putMany(blocks: readonly Block[], options: HookOptions): Promise<void>
  /** Whether the local store holds the block. */
  has(cid: CID, options: HookOptions): Promise<boolean>
  /** Removes the block from the local store. A missing block is not an error. A pinned block rejects with `PINNED`. */
  delete(cid: CID, options: HookOptions): Promise<void>
  /**
   * Protects from `delete` and `gc`, across restarts if the store persists. Missing blocks are fetched first. Resolves when
   * all pinned blocks are stored here. A pin that fails or is aborted pins nothing. Pinning again is not an error. A
   * recursive pin replaces a direct one. `pin`, `unpin` and `pins` are present exactly when `capabilities.blocks.pins` is
   * not `none`.
   */
  pin?(cid: CID, options: PinOptions): Promise<void>
  /** Removes a pin, even if blocks of its content are missing. A CID that is not pinned is not an error. */
  unpin?(cid: CID, options: HookOptions): Promise<void>
  /** The pins themselves, not what they protect. */
  pins?(options: HookOptions): AsyncIterable<Pin>
  /**
   * Removes every block that no pin protects and yields its CID; the codec may be reported as raw. Present exactly when
   * `capabilities.blocks.gc` is not `none`.
   */
  gc?(options: HookOptions): AsyncIterable<CID>
}

/** The blocks of a backend, as core and layers call them. */
export type BlockTransport = { readonly [K in keyof BlockHooks]-?: Call<NonNullable<BlockHooks[K]>> }
