import { walkPath, type ReadableStorage } from 'ipfs-unixfs-exporter'
import { CID } from 'multiformats/cid'
import type { NodeReader } from './blocks.ts'
import { wrongName } from './names.ts'
import type { Problems } from './problems.ts'
import { invalidNode, type Node } from './unixfs-node.ts'

/** One entry of a directory. */
export interface Link {
  readonly name: string
  readonly cid: CID
  /** Bytes of all blocks below, according to the directory. */
  readonly blockBytes: number | undefined
}

/** A part of a sharded directory, and the number of levels above it. */
interface Part {
  readonly node: Node
  readonly depth: number
}

/**
 * The links of a directory in its own order. A sharded directory is listed part by part. A name that no file can have and a
 * part that cannot be read go to `problems`, and the rest is still listed.
 */
export async function* linksOf(
  directory: Node,
  read: NodeReader,
  problems: Problems,
  operation: string
): AsyncGenerator<Link> {
  const { cid } = directory.stat
  const prefixLength = directory.fanout === undefined ? 0 : (directory.fanout - 1).toString(16).length
  // The parts of one directory hold different names. A few parts that are linked repeatedly would cause endless work.
  const parts = new Set([cid.toString()])
  yield* below({ node: directory, depth: 0 })

  async function* below({ node, depth }: Part): AsyncGenerator<Link> {
    for (const { Name: name = '', Hash, Tsize } of node.links) {
      if (prefixLength > 0 && name.length === prefixLength) {
        const part = await problems.guard(`the part ${Hash.toString()} of a sharded directory`, () =>
          open(Hash, depth + 1)
        )
        if (part !== undefined) yield* below(part)
        continue
      }
      const own = name.slice(prefixLength)
      const wrong = name.length < prefixLength ? 'its prefix is cut short' : wrongName(own)
      if (wrong === undefined) yield { name: own, cid: Hash, blockBytes: Tsize }
      else
        problems.add(JSON.stringify(own.slice(0, 100)), invalidNode(Hash, operation, `cannot have this name: ${wrong}`))
    }
  }

  async function open(part: CID, depth: number): Promise<Part> {
    const key = part.toString()
    if (parts.has(key)) throw invalidNode(part, operation, `is linked twice in the sharded directory ${cid.toString()}`)
    parts.add(key)
    // The hash of a name has 64 bits, and each level uses some of them.
    if (depth > 64 / Math.log2(directory.fanout ?? 2)) throw invalidNode(part, operation, 'lies too deep')
    const node = await read(part)
    if (node.fanout !== directory.fanout) throw invalidNode(part, operation, 'is no part of a sharded directory')
    return { node, depth }
  }
}

/** The CID under a name, or `undefined`. In a sharded directory, only the parts on the way to the name are read. */
export async function findLink(directory: Node, name: string, read: NodeReader): Promise<CID | undefined> {
  if (directory.fanout === undefined) return directory.links.find((link) => link.Name === name)?.Hash
  const store: ReadableStorage = {
    async *get(cid) {
      yield (await read(cid)).bytes
    }
  }
  try {
    for await (const step of walkPath(`${directory.stat.cid.toString()}/${name}`, store)) {
      if (step.name === name) return CID.asCID(step.cid) ?? undefined
    }
  } catch (error) {
    if (!(error instanceof Error && error.name === 'NotFoundError')) throw error
  }
  return undefined
}
