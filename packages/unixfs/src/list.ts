import { isP2plError } from '@p2pl/core'
import type { NodeReader } from './blocks.ts'
import { nodeReader } from './blocks.ts'
import { type Link, linksOf } from './directory.ts'
import { maxDepth } from './names.ts'
import { Problems } from './problems.ts'
import { notADirectory, openPath } from './read.ts'
import type { Entry, ListOptions, PathInput, Stat, UnixFSPeer, WalkEntry } from './types.ts'
import { invalidNode, kindByCodec, type Node } from './unixfs-node.ts'

/** Number of entries of a directory that are looked at ahead of the reader. */
const lookAhead = 16

/** Reads the directory itself and nothing below it. */
export async function* ls(peer: UnixFSPeer, input: PathInput, options: ListOptions = {}): AsyncGenerator<Entry> {
  const operation = 'unixfs.ls'
  const { node, read } = await openPath(peer, input, options, operation)
  if (node.stat.kind !== 'directory') throw notADirectory(node.stat.cid, operation)
  const problems = new Problems(operation, options.signal)
  const here = nodeReader(peer, { ...options, local: true }, operation)
  const look = async (link: Link): Promise<Entry> =>
    entryOf(link, link.name, await statHere(link, here, options.signal))
  yield* ahead(linksOf(node, read, problems, operation), look)
  problems.end()
}

export async function* walk(peer: UnixFSPeer, input: PathInput, options: ListOptions = {}): AsyncGenerator<WalkEntry> {
  const operation = 'unixfs.walk'
  const { node, read } = await openPath(peer, input, options, operation)
  if (node.stat.kind !== 'directory') throw notADirectory(node.stat.cid, operation)
  const problems = new Problems(operation, options.signal)
  yield* below(node, '')
  problems.end()

  async function* below(directory: Node, path: string): AsyncGenerator<WalkEntry> {
    const look = async (link: Link): Promise<{ entry: WalkEntry; node: Node | undefined } | undefined> => {
      const place = `${path}${link.name}`
      const known = statByLink(link)
      if (known !== undefined) return { entry: entryOf(link, place, known), node: undefined }
      const found = await problems.guard(JSON.stringify(place), () => read(link.cid))
      return found && { entry: entryOf(link, place, found.stat), node: found }
    }
    for await (const found of ahead(linksOf(directory, read, problems, operation), look)) {
      if (found === undefined) continue
      yield found.entry
      const { node: child, entry } = found
      if (child?.stat.kind !== 'directory') continue
      if (entry.path.split('/').length < maxDepth) yield* below(child, `${entry.path}/`)
      else
        problems.add(
          JSON.stringify(entry.path),
          invalidNode(entry.cid, operation, `lies more than ${maxDepth} directories deep`)
        )
    }
  }
}

/** The result of `look` for each item, in order, several at a time. */
async function* ahead<T, R>(items: AsyncIterable<T>, look: (item: T) => Promise<R>): AsyncGenerator<R> {
  const waiting: Promise<R>[] = []
  for await (const item of items) {
    const result = look(item)
    // The result is awaited in its turn. Until then a failure must not count as unhandled.
    result.catch(() => undefined)
    waiting.push(result)
    if (waiting.length === lookAhead) yield await (waiting.shift() as Promise<R>)
  }
  for (const result of waiting) yield await result
}

function entryOf<S extends Partial<Stat>>({ name, cid, blockBytes }: Link, path: string, stat: S) {
  return { name, path, ...(blockBytes === undefined ? {} : { blockBytes }), ...stat, cid }
}

/** Everything there is to know about a block that is not dag-pb; `undefined` for a block that has to be read. */
function statByLink({ cid, blockBytes }: Link): Stat | undefined {
  const kind = kindByCodec(cid)
  if (kind === undefined) return undefined
  return kind === 'file' && blockBytes !== undefined ? { cid, kind, size: blockBytes } : { cid, kind }
}

/** Everything that is known without asking other peers. */
async function statHere(link: Link, here: NodeReader, signal: AbortSignal | undefined): Promise<Partial<Stat>> {
  const known = statByLink(link)
  if (known !== undefined) return known
  try {
    return (await here(link.cid)).stat
  } catch (error) {
    if (signal?.aborted === true || isP2plError(error, 'NOT_RUNNING')) throw error
    return {}
  }
}
