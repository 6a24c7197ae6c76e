import { type Signal, signal } from '@preact/signals'
import type { Trace, TraceView } from '@p2pl/ledger'
import { takeNews } from './news.ts'

/** A message on its way: who sent it and who has it, with times of the machine's clock. */
export interface Flight {
  readonly message: string
  readonly topic: string
  readonly bytes: number
  published?: { readonly node: string; readonly at: number } | undefined
  readonly received: { readonly node: string; readonly at: number; readonly via?: string | undefined }[]
  /** The first and the last time at which anything is known about it. */
  from: number
  to: number
}

/** A piece of content on its way to one node. */
export interface Fetch {
  readonly cid: string
  readonly node: string
  readonly from: number
  /** Engine ids of the peers that were asked first. */
  readonly asked: readonly string[]
  arrived?: { readonly at: number; readonly bytes?: number | undefined } | undefined
  failed?: { readonly at: number; readonly code: string } | undefined
}

/** How much a page remembers for replay. */
const mostFlights = 3_000
const mostFetches = 1_000
const mostHolders = 2_000

/** In the order of publishing. */
export const flights: Flight[] = []
export const fetches: Fetch[] = []
/** Nodes that were seen to have a block, by CID. */
export const holders: Map<string, Set<string>> = new Map()
/** Traces that the nodes left out, because there were too many in a second. */
export const leftOut: Signal<number> = signal(0)

const byMessage = new Map<string, Flight>()
let skew = -Infinity

/** The current time of the machine's clock, as far as the page can know: events may be late, but never early. */
export function machineNow(): number {
  return performance.now() + skew
}

export function takeTrace(node: string, { at, trace, leftOut: missing = 0 }: TraceView): void {
  skew = Math.max(skew, at - performance.now())
  if (missing > 0) leftOut.value += missing
  if (trace.type === 'published' || trace.type === 'received') takeMessage(node, at, trace)
  else if (trace.type === 'want') takeWant(node, at, trace)
  else if (trace.type === 'block') takeBlock(node, at, trace)
  else if (trace.type === 'have') hold(trace.cid, node)
  else {
    if (trace.type === 'fault') endFetch(node, at, trace)
    takeNews(node, trace)
  }
}

function takeMessage(node: string, at: number, trace: Extract<Trace, { type: 'published' | 'received' }>): void {
  const { message, topic, bytes } = trace
  let flight = byMessage.get(message)
  if (flight === undefined) {
    flight = { message, topic, bytes, received: [], from: at, to: at }
    byMessage.set(message, flight)
    flights.push(flight)
    if (flights.length > mostFlights) forget()
  }
  if (trace.type === 'published') flight.published ??= { node, at }
  // The engine may deliver a publisher's own message to it.
  else if (flight.received.every((one) => one.node !== node))
    flight.received.push({ node, at, via: trace.via ?? trace.from })
  flight.from = Math.min(flight.from, at)
  flight.to = Math.max(flight.to, at)
}

function takeWant(node: string, at: number, { cid, from }: Extract<Trace, { type: 'want' }>): void {
  fetches.push({ cid, node, from: at, asked: from })
  if (fetches.length > mostFetches) fetches.splice(0, mostFetches / 10)
}

function takeBlock(node: string, at: number, { cid, bytes }: Extract<Trace, { type: 'block' }>): void {
  const fetch = openFetch(node, cid)
  if (fetch !== undefined) fetch.arrived = { at, bytes }
  hold(cid, node)
}

function endFetch(node: string, at: number, { subject, code }: Extract<Trace, { type: 'fault' }>): void {
  const fetch = openFetch(node, subject)
  if (fetch !== undefined) fetch.failed = { at, code }
}

function openFetch(node: string, cid: string): Fetch | undefined {
  return fetches.findLast(
    (one) => one.cid === cid && one.node === node && one.arrived === undefined && one.failed === undefined
  )
}

function hold(cid: string, node: string): void {
  const known = holders.get(cid) ?? new Set<string>()
  holders.set(cid, known.add(node))
  if (holders.size <= mostHolders) return
  const [oldest] = holders.keys()
  if (oldest !== undefined) holders.delete(oldest)
}

function forget(): void {
  for (const { message } of flights.splice(0, mostFlights / 10)) byMessage.delete(message)
}
