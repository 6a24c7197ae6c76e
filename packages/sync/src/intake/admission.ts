import { follows } from '../entry/chains.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { vouchingReach } from '../limits.ts'
import type { Check, DropReason } from './checks.ts'

/** An entry and what is known about it without looking at others. */
export interface Candidate {
  readonly entry: EntryRecord
  check: Check
  /** Whether its signature is right; `undefined` until it is checked. */
  right: boolean | undefined
}

/**
 * The outcome for a candidate: `accepted`; `unproven`, because neither its signature nor a successor proves it, or
 * because it builds on such an entry; `lacking` a parent; or the reason why it can never be in a view.
 */
export type Verdict = 'known' | 'accepted' | 'unproven' | 'lacking' | DropReason

/** What the view knows about a parent that is not a candidate: its clock, that it is rejected, or nothing. */
export type Look = (id: string) => number | 'rejected' | undefined

interface Node {
  readonly candidate: Candidate
  /** Created with the first child. */
  children: Node[] | undefined
  successors: Node[] | undefined
  previous: Node | undefined
  verdict: Verdict
  /** The lowest clock of a signature that proves the entry. */
  proof: number
}

/**
 * Takes candidates in canonical order and finds the largest set in which each candidate is right, has its parents in
 * the set or in the view, and is proven by its own signature or by one in the set. The result depends on the candidates
 * alone, so peers that get the same entries in another order, or some of them earlier, accept the same entries.
 */
export function admit(candidates: readonly Candidate[], look: Look): Verdict[] {
  const nodes = candidates.map((candidate): Node => {
    const { check } = candidate
    return {
      candidate,
      children: undefined,
      successors: undefined,
      previous: undefined,
      verdict: check ?? 'accepted',
      proof: Infinity
    }
  })
  const removed = link(nodes, look)
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node
    if (node.verdict !== 'accepted') continue
    node.proof = proofOf(node)
    if (!isProven(node)) remove(node, 'unproven', removed)
  }
  for (let node = removed.pop(); node !== undefined; node = removed.pop()) {
    for (const child of node.children ?? []) {
      // A child of a refused entry is refused; any other child waits for the same thing as its parent.
      if (child.verdict === 'accepted') remove(child, isOpen(node.verdict) ? node.verdict : 'invalid', removed)
    }
    loseVoucher(node, removed)
  }
  return nodes.map(({ verdict }) => verdict)
}

/** Whether more entries could change the verdict. */
export function isOpen(verdict: Verdict): verdict is 'unproven' | 'lacking' {
  return verdict === 'unproven' || verdict === 'lacking'
}

/** Links the nodes to their parents. Returns the nodes that cannot be in the set, whatever proves them. */
function link(nodes: readonly Node[], look: Look): Node[] {
  const removed: Node[] = []
  const within = new Map<string, Node>()
  for (const node of nodes) {
    const { entry } = node.candidate
    if (within.has(entry.id)) node.verdict = 'known'
    if (node.verdict === 'known') continue
    within.set(entry.id, node)
    if (node.verdict !== 'accepted') {
      removed.push(node)
      continue
    }
    let largest = 0
    let verdict: Verdict = 'accepted'
    for (const id of entry.parentIds) {
      const parent = within.get(id)
      const found = parent === undefined ? look(id) : parent.candidate.entry.clock
      if (found === 'rejected') verdict = 'invalid'
      else if (found !== undefined) largest = Math.max(largest, found)
      else if (verdict === 'accepted') verdict = 'lacking'
      if (parent !== undefined) (parent.children ??= []).push(node)
    }
    // The parents that are known are enough to detect some wrong clocks.
    const isWrong = entry.clock <= largest || (verdict !== 'lacking' && entry.clock !== largest + 1)
    if (verdict !== 'invalid' && isWrong) verdict = 'clock'
    if (verdict !== 'accepted') remove(node, verdict, removed)
    const previous = entry.previousId === undefined ? undefined : within.get(entry.previousId)
    if (previous === undefined || !follows(entry, previous.candidate.entry)) continue
    node.previous = previous
    ;(previous.successors ??= []).push(node)
  }
  return removed
}

function remove(node: Node, verdict: Verdict, removed: Node[]): void {
  node.verdict = verdict
  removed.push(node)
}

function proofOf({ candidate, successors }: Node): number {
  if (candidate.right === true) return candidate.entry.clock
  let proof = Infinity
  for (const { verdict, proof: other } of successors ?? []) if (verdict === 'accepted') proof = Math.min(proof, other)
  return proof
}

function isProven({ candidate, proof }: Node): boolean {
  return proof <= candidate.entry.clock + vouchingReach
}

/** After a removal, the entries below may depend on a signature further up, or on none. */
function loseVoucher(node: Node, removed: Node[]): void {
  for (let below = node.previous; below?.verdict === 'accepted'; below = below.previous) {
    const proof = proofOf(below)
    if (proof === below.proof) return
    below.proof = proof
    if (isProven(below)) continue
    remove(below, 'unproven', removed)
    return
  }
}
