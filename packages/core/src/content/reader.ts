import type { CID } from 'multiformats/cid'
import { codecs, readLimits } from './layout.ts'
import { decodeNode, invalidContent, notAFile } from './node.ts'
import type { Child, FileNode } from './node.ts'

/** How far fetching may run ahead of the consumer. */
const readAhead: { readonly bytes: number; readonly blocks: number; readonly links: number } = {
  bytes: 16 * 1024 * 1024,
  blocks: 32,
  // Links of inner nodes that are kept for later, in addition to those on the way to the current leaf.
  links: 65_536
}
/** The assumed size of a block before it arrives: the size of its content, but at most this. */
const largestExpectedBlock = 2 * 1024 * 1024

interface ReadRange {
  readonly offset: number
  /** `Infinity`: to the end. */
  readonly length: number
}

export interface FileReaderOptions {
  readonly operation: string
  readonly range: ReadRange
  /** Returns the verified bytes of a block. */
  fetch(cid: CID): Promise<Uint8Array>
  /** Called for each block that has arrived. */
  onBlock?: (() => void) | undefined
  /** Called with the number of bytes in the range, once the root is here. */
  onSize?: ((bytes: number) => void) | undefined
}

/** A place in the sequence of parts that are still to be yielded, in file order. */
interface Slot {
  /** Where its content starts in the file. */
  readonly start: number
  readonly depth: number
  next: Slot | undefined
  state: SlotState
}

type SlotState =
  | { readonly type: 'waiting'; readonly child: Child }
  | { readonly type: 'fetching'; readonly arrived: Promise<void> }
  /** An inner node that is expanded only when its turn comes. */
  | { readonly type: 'held'; readonly weight: number; readonly node: FileNode }
  | { readonly type: 'data'; readonly bytes: Uint8Array; readonly weight: number }
  | { readonly type: 'children'; readonly children: readonly Child[]; index: number; at: number }
  | { readonly type: 'failed'; readonly error: unknown }

/**
 * Streams the bytes of one file in order. It fetches ahead within bounds, and fetches nothing outside the range. Every size
 * that a node claims is checked against what it holds.
 */
export async function* readFile(root: CID, options: FileReaderOptions): AsyncGenerator<Uint8Array> {
  const { operation, range } = options
  const bytes = await options.fetch(root)
  options.onBlock?.()
  const node = decodeNode(root, bytes, operation)
  if (node.kind === 'directory' || node.kind === 'symlink') throw notAFile(operation, root, node.kind)
  const content: FileNode =
    node.kind === 'file' ? node : { kind: 'file', data: bytes, children: [], size: bytes.byteLength }
  const from = Math.min(range.offset, content.size)
  const to = Math.min(range.offset + range.length, content.size)
  options.onSize?.(to - from)
  if (from < to) yield* new Sequence(content, from, to, options).read()
}

class Sequence {
  readonly #options: FileReaderOptions
  readonly #from: number
  readonly #to: number
  #head: Slot | undefined
  /** Blocks that are being fetched, or are here and not yet yielded, and their weight. */
  #blocks = 0
  #bytes = 0
  /** Links of inner nodes that are still to be followed. */
  #links = 0
  #closed = false

  constructor(root: FileNode, from: number, to: number, options: FileReaderOptions) {
    this.#options = options
    this.#from = from
    this.#to = to
    this.#head = { start: 0, depth: 0, next: undefined, state: { type: 'held', weight: 0, node: root } }
  }

  async *read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        this.#fill()
        const slot: Slot | undefined = this.#head
        if (slot === undefined) return
        const { state } = slot
        if (state.type === 'failed') throw state.error
        if (state.type === 'held') this.#expand(slot, state.node, state.weight)
        else if (state.type === 'fetching') await state.arrived
        else if (state.type === 'data') {
          this.#head = slot.next
          this.#release(state.weight)
          // The next fetches start before the consumer works on this part.
          this.#fill()
          if (state.bytes.byteLength > 0) yield state.bytes
        }
      }
    } finally {
      this.#closed = true
    }
  }

  /** Starts fetches from the front until the window is full. The head is always started. */
  #fill(): void {
    if (this.#closed) return
    let previous: Slot | undefined
    let slot = this.#head
    const place = (next: Slot | undefined): void => {
      if (previous === undefined) this.#head = next
      else previous.next = next
      slot = next
    }
    while (slot !== undefined) {
      if (slot.state.type === 'children') {
        place(this.#nextChild(slot, slot.state) ?? slot.next)
        continue
      }
      if (slot.state.type === 'waiting') {
        const { child } = slot.state
        const weight = Math.min(child.size, largestExpectedBlock)
        const full = this.#blocks >= readAhead.blocks || this.#bytes + weight > readAhead.bytes
        if (full && previous !== undefined) return
        this.#hold(weight)
        slot.state = { type: 'fetching', arrived: this.#arrive(slot, child, weight) }
      }
      previous = slot
      slot = slot.next
    }
  }

  /** Takes the next child that the range needs from a list of children. */
  #nextChild(list: Slot, state: SlotState & { type: 'children' }): Slot | undefined {
    while (state.index < state.children.length) {
      const child = state.children[state.index++] as Child
      const start = state.at
      state.at += child.size
      this.#links--
      // Children without content are never fetched: a tree of them would cause endless work without output.
      if (child.size > 0 && state.at > this.#from && start < this.#to) {
        return { start, depth: list.depth, next: list, state: { type: 'waiting', child } }
      }
    }
    return undefined
  }

  /** Never rejects: the outcome becomes the slot's new state. */
  async #arrive(slot: Slot, child: Child, weight: number): Promise<void> {
    try {
      const node = await this.#fetch(slot, child)
      if (node.children.length === 0) {
        slot.state = { type: 'data', bytes: this.#clip(node.data, slot.start), weight }
      } else if (this.#links + node.children.length <= readAhead.links) {
        // Expanded before its turn, so that the window stays full across inner nodes.
        this.#expand(slot, node, weight)
        this.#fill()
      } else {
        slot.state = { type: 'held', weight, node }
      }
    } catch (error) {
      slot.state = { type: 'failed', error }
    }
  }

  async #fetch(slot: Slot, child: Child): Promise<FileNode> {
    const { operation } = this.#options
    if (slot.depth > readLimits.depth) {
      throw invalidContent(operation, child.cid, `lies more than ${readLimits.depth} levels below the root`)
    }
    if (child.cid.code !== codecs.raw && child.cid.code !== codecs.dagPb) {
      throw invalidContent(operation, child.cid, 'is part of a file, but neither raw nor dag-pb')
    }
    const bytes = await this.#options.fetch(child.cid)
    this.#options.onBlock?.()
    const node = decodeNode(child.cid, bytes, operation)
    if (node.kind !== 'file') throw invalidContent(operation, child.cid, `is part of a file, but a ${node.kind}`)
    if (node.size !== child.size) {
      throw invalidContent(operation, child.cid, `has ${node.size} bytes where its parent says ${child.size}`)
    }
    return node
  }

  /** Puts a node's own bytes and its children in its place. */
  #expand(slot: Slot, node: FileNode, weight: number): void {
    this.#release(weight)
    this.#links += node.children.length
    const children: SlotState = {
      type: 'children',
      children: node.children,
      index: 0,
      at: slot.start + node.data.byteLength
    }
    const own = this.#clip(node.data, slot.start)
    this.#hold(own.byteLength)
    slot.state = { type: 'data', bytes: own, weight: own.byteLength }
    slot.next = { start: slot.start, depth: slot.depth + 1, next: slot.next, state: children }
  }

  #clip(bytes: Uint8Array, start: number): Uint8Array {
    return bytes.subarray(Math.max(0, this.#from - start), Math.max(0, this.#to - start))
  }

  #hold(weight: number): void {
    if (weight === 0) return
    this.#blocks++
    this.#bytes += weight
  }

  #release(weight: number): void {
    if (weight === 0) return
    this.#blocks--
    this.#bytes -= weight
  }
}
