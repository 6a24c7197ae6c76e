import type { Block } from '../port/common.ts'
import { encodeInnerNode } from './encode.ts'
import type { FileLink } from './encode.ts'
import { cidOf } from './hash.ts'
import { codecs } from './layout.ts'

/** A finished part of the file, in the form of a link to it. */
export type Subtree = FileLink

/** Builds the balanced tree from the left, with at most `maxLinks` pending links per level. */
export class TreeBuilder {
  readonly #maxLinks: number
  readonly #emit: (block: Block) => Promise<void> | undefined
  readonly #levels: Subtree[][] = []

  constructor(maxLinks: number, emit: (block: Block) => Promise<void> | undefined) {
    this.#maxLinks = maxLinks
    this.#emit = emit
  }

  async add(leaf: Subtree): Promise<void> {
    await this.#push(0, leaf)
  }

  /** Returns the root. A single leaf is its own root. Call once, after at least one leaf. */
  async finish(): Promise<Subtree> {
    for (let level = 0; ; level++) {
      const links = this.#levels[level] ?? []
      const isTop = level >= this.#levels.length - 1
      if (isTop && links.length === 1) return links[0] as Subtree
      if (links.length > 0) await this.#close(level, links)
    }
  }

  async #push(level: number, subtree: Subtree): Promise<void> {
    const links = (this.#levels[level] ??= [])
    links.push(subtree)
    if (links.length === this.#maxLinks) await this.#close(level, links)
  }

  async #close(level: number, links: readonly Subtree[]): Promise<void> {
    this.#levels[level] = []
    const { block, subtree } = await innerNode(links)
    await this.#emit(block)
    await this.#push(level + 1, subtree)
  }
}

async function innerNode(links: readonly Subtree[]): Promise<{ block: Block; subtree: Subtree }> {
  const bytes = encodeInnerNode(links)
  const cid = await cidOf(codecs.dagPb, bytes)
  let contentBytes = 0
  let blockBytes = bytes.byteLength
  for (const link of links) {
    contentBytes += link.contentBytes
    blockBytes += link.blockBytes
  }
  return { block: { cid, bytes }, subtree: { cid, contentBytes, blockBytes } }
}
