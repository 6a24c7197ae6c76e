import { type Camera, clockAt, laneHeight, type Size, xOf, yOf } from './camera.ts'
import { firstFrom, type Layout } from './layout.ts'

export interface Palette {
  readonly text: string
  readonly line: string
  readonly edge: string
  readonly accent: string
  /** By kind of entry. */
  readonly kinds: readonly [waiting: string, confirmed: string, rejected: string]
}

/** With fewer pixels per clock, edges and circles would merge into a grey area. */
const detailScale = 3

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`)
  return {
    text: colour('muted'),
    line: colour('line'),
    edge: colour('edge'),
    accent: colour('accent'),
    kinds: [colour('waiting'), colour('good'), colour('bad')]
  }
}

/** Draws only the visible part. */
export function paint(
  context: CanvasRenderingContext2D,
  layout: Layout,
  camera: Camera,
  size: Size,
  palette: Palette,
  names: (author: string) => string,
  selected: string | undefined
): void {
  context.clearRect(0, 0, size.width, size.height)
  const height = laneHeight(layout, size)
  drawLanes(context, layout, camera, size, palette, names)
  const from = firstFrom(layout, clockAt(camera, -10))
  const to = firstFrom(layout, clockAt(camera, size.width + 10))
  const isDetailed = camera.scale >= detailScale
  if (isDetailed) drawEdges(context, layout, camera, height, palette, from, to)
  const radius = Math.min(5, camera.scale * 0.42)
  for (const kind of [1, 0, 2]) {
    context.fillStyle = palette.kinds[kind] ?? ''
    context.beginPath()
    for (let i = from; i < to; i++) {
      if (layout.kind[i] !== kind) continue
      const x = xOf(camera, layout.clock[i] ?? 0)
      const y = yOf(camera, height, layout.lane[i] ?? 0, layout.slot[i] ?? 0)
      if (!isDetailed) context.rect(x - 0.75, y - (kind === 2 ? 7 : 4), 1.5, kind === 2 ? 14 : 8)
      else if (kind === 2) context.rect(x - radius, y - radius, 2 * radius, 2 * radius)
      else {
        context.moveTo(x + radius, y)
        context.arc(x, y, radius, 0, 2 * Math.PI)
      }
    }
    context.fill()
  }
  drawRings(context, layout, camera, height, palette, from, to, selected)
}

function drawLanes(
  context: CanvasRenderingContext2D,
  layout: Layout,
  camera: Camera,
  size: Size,
  palette: Palette,
  names: (author: string) => string
): void {
  const height = laneHeight(layout, size)
  context.strokeStyle = palette.line
  context.fillStyle = palette.text
  context.lineWidth = 1
  context.font = '12px system-ui, sans-serif'
  context.beginPath()
  for (const [i, author] of layout.lanes.entries()) {
    const y = yOf(camera, height, i, 0)
    if (y < -height || y > size.height + height) continue
    context.moveTo(0, Math.round(y) + 0.5)
    context.lineTo(size.width, Math.round(y) + 0.5)
    context.fillText(names(author), 8, y - Math.min(height / 2 - 8, 20))
  }
  context.stroke()
}

function drawEdges(
  context: CanvasRenderingContext2D,
  { clock, lane, slot, starts, parents }: Layout,
  camera: Camera,
  height: number,
  palette: Palette,
  from: number,
  to: number
): void {
  context.strokeStyle = palette.edge
  context.lineWidth = 1
  context.beginPath()
  for (let i = from; i < to; i++) {
    const x = xOf(camera, clock[i] ?? 0)
    const y = yOf(camera, height, lane[i] ?? 0, slot[i] ?? 0)
    for (let p = starts[i] ?? 0; p < (starts[i + 1] ?? 0); p++) {
      const parent = parents[p] ?? 0
      context.moveTo(x, y)
      context.lineTo(xOf(camera, clock[parent] ?? 0), yOf(camera, height, lane[parent] ?? 0, slot[parent] ?? 0))
    }
  }
  context.stroke()
}

/** Draws rings around tips, which no entry approves yet, and around the selected entry. */
function drawRings(
  context: CanvasRenderingContext2D,
  layout: Layout,
  camera: Camera,
  height: number,
  palette: Palette,
  from: number,
  to: number,
  selected: string | undefined
): void {
  context.strokeStyle = palette.accent
  for (let i = from; i < to; i++) {
    const isSelected = layout.entries[i]?.cid === selected
    if (layout.isTip[i] !== 1 && !isSelected) continue
    context.lineWidth = isSelected ? 3 : 2
    context.beginPath()
    const y = yOf(camera, height, layout.lane[i] ?? 0, layout.slot[i] ?? 0)
    context.arc(xOf(camera, layout.clock[i] ?? 0), y, isSelected ? 10 : 8, 0, 2 * Math.PI)
    context.stroke()
  }
}
