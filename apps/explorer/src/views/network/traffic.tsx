import type { JSX } from 'preact'
import { duration, nodeOf } from '../../data/names.ts'
import { nodes } from '../../data/nodes.ts'
import { fetchesAt, flightsAt, isLive, playhead } from '../../data/playback.ts'
import { isStill } from '../../data/theme.ts'
import { type Fetch, type Flight, holders } from '../../data/traces.ts'
import { between, type Place } from './places.ts'

type Places = ReadonlyMap<string, Place>

/**
 * Live, a message takes a few milliseconds, which nobody would see. Its dot takes at least this long (ms), and its
 * label gives the real time.
 */
const shortestLiveMs = 350

/** Messages as dots from their publisher to each receiver, content as squares to the peers that requested it. */
export function Traffic({ places }: { places: Places }): JSX.Element {
  const at = playhead.value
  return (
    <g aria-hidden="true">
      {flightsAt(at).map((flight) => (
        <Message key={flight.message} flight={flight} at={at} places={places} />
      ))}
      {fetchesAt(at).map((fetch) => (
        <Content key={`${fetch.cid} ${fetch.node} ${fetch.from}`} fetch={fetch} at={at} places={places} />
      ))}
    </g>
  )
}

function Message({ flight, at, places }: { flight: Flight; at: number; places: Places }): JSX.Element {
  const { published, received } = flight
  return (
    <>
      {received.map(({ node, at: arrived, via }) => {
        const by = nodeOf(via)
        const relay = by !== undefined && by !== published?.node ? received.find((one) => one.node === by) : undefined
        const from = relay ?? published
        const [start, end] = [places.get(from?.node ?? ''), places.get(node)]
        if (from === undefined || start === undefined || end === undefined || at < from.at) return null
        const part = progress(at, from.at, arrived)
        const ms = arrived - (published ?? from).at
        return <Dot key={node} start={start} end={end} part={part} label={part === 1 ? duration(ms) : ''} />
      })}
    </>
  )
}

function Dot({ start, end, part, label }: { start: Place; end: Place; part: number; label: string }): JSX.Element {
  const tail = between(start, end, isStill.value ? 0 : Math.max(0, part - 0.35), 5)
  const head = between(start, end, isStill.value ? 1 : part, 5)
  const beside = between(start, end, 0.72, 22)
  return (
    <g class="message">
      <line x1={tail.x} y1={tail.y} x2={head.x} y2={head.y} />
      <circle cx={head.x} cy={head.y} r="4.5" />
      {label !== '' && (
        <text x={beside.x} y={beside.y} dy="0.35em">
          {label}
        </text>
      )}
    </g>
  )
}

/**
 * A request goes to the nodes that may have the block, and the block comes back. Who sent it is known only if a single
 * node has it.
 */
function Content({ fetch, at, places }: { fetch: Fetch; at: number; places: Places }): JSX.Element | null {
  const { cid, node, from, asked, arrived } = fetch
  const home = places.get(node)
  if (home === undefined) return null
  const havers = [...(holders.get(cid) ?? [])].filter((name) => name !== node)
  const candidates = (havers.length > 0 ? havers : asked.flatMap((id) => nodeOf(id) ?? [])).filter(isUp)
  const isBack = arrived !== undefined && at >= (from + arrived.at) / 2
  return (
    <g class={isBack ? 'content back' : 'content'}>
      {candidates.map((name) => {
        const there = places.get(name)
        if (there === undefined) return null
        const middle = arrived === undefined ? from + 20 : (from + arrived.at) / 2
        const part = isBack ? progress(at, middle, arrived.at) : progress(at, from, middle)
        const { x, y } = isBack ? between(there, home, part, 8) : between(home, there, part, -8)
        return <rect key={name} x={x - 4.5} y={y - 4.5} width="9" height="9" rx="1.5" />
      })}
    </g>
  )
}

function isUp(name: string): boolean {
  return nodes.value.find((node) => node.name === name)?.life === 'up'
}

function progress(at: number, from: number, to: number): number {
  const length = Math.max(to - from, isLive.value ? shortestLiveMs : 0.2)
  return Math.min(1, Math.max(0, (at - from) / length))
}
