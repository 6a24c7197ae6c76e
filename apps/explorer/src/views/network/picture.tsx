import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { colourOf } from '../../data/agreement.ts'
import { labelOf, plural, short } from '../../data/names.ts'
import { shown, type ShownPeer } from '../../data/page-peer.ts'
import { advance } from '../../data/playback.ts'
import { isNarrow, isStill } from '../../data/theme.ts'
import { Traffic } from './traffic.tsx'
import { edgesOf, narrow, type Place, placesOf, radius, strangersOf, wide } from './places.ts'

/** The nodes, their connections, and the traffic between them. */
export function Picture(): JSX.Element {
  useEffect(moveOn, [])
  const stage = isNarrow.value ? narrow : wide
  const places = placesOf(shown.value, stage)
  const edges = edgesOf(shown.value)
  return (
    <svg
      class="picture"
      viewBox={`0 0 ${stage.width} ${stage.height}`}
      role="img"
      aria-label={describe(shown.value, edges)}
    >
      {edges.map(([a, b]) => {
        const [from, to] = [places.get(a), places.get(b)]
        return from && to && <line key={`${a} ${b}`} class="edge" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      })}
      <Traffic places={places} />
      {shown.value.map((node) => (
        <Circle key={node.name} node={node} place={places.get(node.name) ?? { x: 0, y: 0 }} />
      ))}
    </svg>
  )
}

function Circle({ node, place: { x, y } }: { node: ShownPeer; place: Place }): JSX.Element {
  const { life, status } = node
  const label = labelOf(node.name)
  const state = life === 'up' ? (status === undefined ? 'starting' : `root-${colourOf(status.root)}`) : life
  const others = strangersOf(node)
  const below = life === 'up' && status !== undefined ? plural(status.entries, 'entry', 'entries') : life
  return (
    <g class={`node ${state}`} transform={`translate(${x} ${y})`}>
      <circle r={radius} />
      <text class="initial" dy="0.36em">
        {label.slice(0, 1).toUpperCase()}
      </text>
      <text class="name" y={radius + 19}>
        {label}
      </text>
      <text class="detail" y={radius + 36}>
        {below}
        {others > 0 && `, +${plural(others, 'peer')}`}
      </text>
    </g>
  )
}

function describe(peers: readonly ShownPeer[], edges: readonly (readonly [string, string])[]): string {
  const states = peers.map(({ name, life, status }) => {
    const root = status === undefined ? '' : `, root ${short(status.root)}, ${status.entries} entries`
    return `${labelOf(name)} is ${life}${life === 'up' ? root : ''}`
  })
  const pairs = edges.map(([a, b]) => `${labelOf(a)} with ${labelOf(b)}`)
  return `${states.join('; ')}. Connected: ${pairs.join(', ') || 'none of these'}.`
}

/** Advances the time of the picture while it is on the screen. */
function moveOn(): () => void {
  let last = performance.now()
  let frame = 0
  const step = (now: number): void => {
    // A few updates per second are enough if nothing should move.
    if (!isStill.peek() || now - last > 250) {
      advance(Math.min(now - last, 250))
      last = now
    }
    frame = requestAnimationFrame(step)
  }
  frame = requestAnimationFrame(step)
  return () => cancelAnimationFrame(frame)
}
