import { type Block, bytesKey, isLeaf, linksOf, P2plError, Slots } from '@p2pl/core/backend'

type Cid = Block['cid']

export interface CopyOptions {
  /** The verified bytes of a block; `undefined` to skip the block and everything below it. */
  readonly get: (cid: Cid) => Promise<Uint8Array | undefined>
  readonly put: (block: Block) => Promise<void>
  /** Whether the block is already where it should be. Its links are followed even then. Default: never. */
  readonly has?: ((cid: Cid) => Promise<boolean>) | undefined
  /** Default true. */
  readonly recursive?: boolean | undefined
  /** Maximum bytes that are read. Above it the copy rejects with `TOO_LARGE`. Default: no limit. */
  readonly maxBytes?: number | undefined
  readonly signal: AbortSignal
}

const parallel = 8

/** Copies a DAG block by block. The root comes first, so that a peer that waits for it can begin. */
export async function copyDag(root: Cid, options: CopyOptions): Promise<void> {
  const { get, put, has, recursive = true, maxBytes = Infinity, signal } = options
  const seen = new Set<string>()
  const slots = new Slots(parallel)
  let bytesRead = 0

  const visit = async (cid: Cid): Promise<void> => {
    const links = await slots.run(async () => {
      signal.throwIfAborted()
      const leaf = isLeaf(cid.code) || !recursive
      const there = (await has?.(cid)) === true
      if (there && leaf) return []
      const bytes = await get(cid)
      if (bytes === undefined) return []
      bytesRead += bytes.byteLength
      if (bytesRead > maxBytes) throw tooLarge(root, maxBytes)
      if (!there) await put({ cid, bytes })
      return leaf ? [] : (linksOf(cid, bytes) ?? [])
    }, signal)
    const fresh = links.filter((link) => {
      const key = `${link.code}/${bytesKey(link.multihash.bytes)}`
      if (seen.has(key)) return false
      seen.add(key)
      return true
    })
    await Promise.all(fresh.map(visit))
  }
  await visit(root)
}

function tooLarge(root: Cid, maxBytes: number): P2plError {
  const message = `${root.toString()} has more than ${maxBytes} bytes`
  return new P2plError({ code: 'TOO_LARGE', message })
}
