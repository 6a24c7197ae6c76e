import { type Signal, signal } from '@preact/signals'
import type { Trace } from '@p2pl/ledger'

export type NewsKind = 'gap' | 'retry' | 'fault' | 'peer' | 'good'

/** A message for a person: a short title, its subject, and the details. */
export interface News {
  readonly number: number
  readonly node: string
  readonly kind: NewsKind
  readonly text: string
  /** A topic, a CID, or the id of a peer. */
  readonly subject: string
  readonly detail: string
  readonly time: Date
  /** How often it was repeated. */
  readonly times: number
}

type Words = Pick<News, 'kind' | 'text'> & Partial<Pick<News, 'subject' | 'detail'>>

const mostNews = 300
/** A message that repeats one of this many latest lines is counted there, with its latest subject. */
const recent = 12
let count = 0

/** The newest is first. */
export const news: Signal<readonly News[]> = signal([])

export function takeNews(node: string, trace: Trace): void {
  const words = wordsOf(trace)
  if (words !== undefined) tell(node, words)
}

export function tell(node: string, { kind, text, subject = '', detail = '' }: Words): void {
  const all = news.value
  const at = all.findIndex((one, i) => i < recent && one.node === node && one.kind === kind && one.text === text)
  const known = all[at]
  const { number, times } = known ?? { number: count++, times: 0 }
  const rest = known === undefined ? all : all.toSpliced(at, 1)
  news.value = [{ number, node, kind, text, subject, detail, time: new Date(), times: times + 1 }, ...rest].slice(
    0,
    mostNews
  )
}

const actions: Readonly<Record<string, string>> = {
  'blocks.get': 'Fetching',
  'blocks.pin': 'Fetching a file',
  'blocks.putMany': 'Storing',
  'messages.publish': 'Publishing',
  'messages.subscribe': 'Joining',
  'routing.connect': 'Connecting',
  'routing.provide': 'Providing',
  'routing.findProviders': 'Finding providers'
}

function wordsOf(trace: Trace): Words | undefined {
  switch (trace.type) {
    case 'gap':
      return { kind: 'gap', text: `Messages may be missing (${trace.reason}) of`, subject: trace.topic }
    case 'retry':
      return {
        kind: 'retry',
        text: `${actionOf(trace)} again:`,
        subject: trace.subject,
        detail: `attempt ${trace.attempt}`
      }
    case 'fault':
      return {
        kind: 'fault',
        text: `${actionOf(trace)} failed (${trace.code}):`,
        subject: trace.subject,
        detail: trace.reason
      }
    case 'degraded':
      return { kind: 'fault', text: 'The network cannot be used for now', detail: trace.reason }
    case 'warning':
      return { kind: 'fault', text: 'Warning', detail: trace.reason }
    case 'recovered':
      return { kind: 'good', text: 'The network can be used again', detail: trace.reason }
    case 'dropped':
      return { kind: 'fault', text: `Something from the network was refused: ${trace.reason}` }
    case 'connected':
      return { kind: 'peer', text: 'Connected to', subject: trace.peer }
    case 'disconnected':
      return { kind: 'peer', text: 'Disconnected from', subject: trace.peer }
    default:
      return undefined
  }
}

function actionOf({ operation }: { readonly operation: string }): string {
  return actions[operation] ?? operation
}
