import { nodeOf } from '../../data/names.ts'
import type { ShownPeer } from '../../data/page-peer.ts'

export interface Place {
  readonly x: number
  readonly y: number
}

export interface Stage {
  readonly width: number
  readonly height: number
}

export const wide: Stage = { width: 640, height: 400 }
/** For phones, so that text stays legible. */
export const narrow: Stage = { width: 360, height: 330 }
export const radius = 34

/** Places the nodes on an ellipse, with the first one at the top. */
export function placesOf(nodes: readonly ShownPeer[], { width, height }: Stage): ReadonlyMap<string, Place> {
  const count = nodes.length
  const rx = count === 1 ? 0 : width / 2 - 70
  const ry = count === 1 ? 0 : height / 2 - 70
  // A triangle is placed lower, because its centre is above the middle of its height.
  const middle = height / 2 + (count === 3 ? 22 : 0) - 12
  return new Map(
    nodes.map(({ name }, i) => {
      const angle = (2 * Math.PI * i) / count - Math.PI / 2
      return [name, { x: width / 2 + rx * Math.cos(angle), y: middle + ry * Math.sin(angle) }]
    })
  )
}

/** Pairs of connected nodes. One of the two may not know of the connection yet. */
export function edgesOf(nodes: readonly ShownPeer[]): [string, string][] {
  const edges = new Map<string, [string, string]>()
  for (const { name, life, status } of nodes) {
    if (life !== 'up') continue
    for (const { id } of status?.connected ?? []) {
      const other = nodeOf(id)
      if (other === undefined || other === name) continue
      if (nodes.find((node) => node.name === other)?.life !== 'up') continue
      const pair: [string, string] = name < other ? [name, other] : [other, name]
      edges.set(pair.join('\n'), pair)
    }
  }
  return [...edges.values()]
}

/** The number of connections to peers that are not shown. */
export function strangersOf({ status }: ShownPeer): number {
  return (status?.connected ?? []).filter(({ id }) => nodeOf(id) === undefined).length
}

/** The place of something that has covered this part of the way, from rim to rim. */
export function between(a: Place, b: Place, part: number, shift = 0): Place {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const length = Math.hypot(dx, dy)
  if (length === 0) return a
  const start = (radius + 4) / length
  const t = start + (1 - 2 * start) * part
  return { x: a.x + dx * t - (dy / length) * shift, y: a.y + dy * t + (dx / length) * shift }
}
