import type { EntryView } from '@p2pl/ledger'
import { type Camera, fit, laneHeight, pan, showEnd, type Size, xOf, yOf, zoom } from './camera.ts'
import { type Layout, layoutOf } from './layout.ts'
import { paint, type Palette, paletteOf } from './paint.ts'

/** How far from an entry a click may be, in pixels. */
const reach = 12

/** The canvas of the graph. It keeps its size, handles the pointer, and draws after changes. */
export class GraphStage {
  readonly #canvas: HTMLCanvasElement
  readonly #names: (author: string) => string
  readonly #onSelect: (cid: string | undefined) => void
  readonly #camera: Camera = { left: 0, scale: 1, top: 0, follows: true }
  readonly #resizes: ResizeObserver
  #layout: Layout = layoutOf([], [])
  #palette: Palette
  #size: Size = { width: 0, height: 0 }
  #selected: string | undefined
  #fitted = false
  #frame = 0

  constructor(
    canvas: HTMLCanvasElement,
    names: (author: string) => string,
    onSelect: (cid: string | undefined) => void
  ) {
    this.#canvas = canvas
    this.#names = names
    this.#onSelect = onSelect
    this.#palette = paletteOf(canvas)
    this.#resizes = new ResizeObserver(() => this.#resize())
    this.#resizes.observe(canvas)
    canvas.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false })
    canvas.addEventListener('pointerdown', (event) => this.#onPointerDown(event))
  }

  close(): void {
    this.#resizes.disconnect()
    cancelAnimationFrame(this.#frame)
  }

  show(entries: Iterable<EntryView>, first: readonly string[]): void {
    this.#layout = layoutOf(entries, first)
    if (this.#camera.follows) this.#follow()
    this.#draw()
  }

  select(cid: string | undefined): void {
    this.#selected = cid
    this.#draw()
  }

  recolour(): void {
    this.#palette = paletteOf(this.#canvas)
    this.#draw()
  }

  fit(): void {
    fit(this.#camera, this.#layout, this.#size)
    this.#draw()
  }

  zoom(factor: number, x: number = this.#size.width / 2): void {
    zoom(this.#camera, factor, x)
    this.#draw()
  }

  pan(dx: number, dy: number): void {
    pan(this.#camera, this.#layout, this.#size, dx, dy)
    this.#draw()
  }

  /** Shows everything while that is legible, then only the end. */
  #follow(): void {
    if (this.#size.width === 0) return
    const before = this.#camera.scale
    fit(this.#camera, this.#layout, this.#size)
    if (!this.#fitted || this.#camera.scale >= 3) {
      this.#fitted = this.#layout.entries.length > 0
      if (this.#camera.scale >= 3) return
      this.#camera.scale = Math.max(this.#camera.scale, 6)
    } else this.#camera.scale = before
    showEnd(this.#camera, this.#layout, this.#size)
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas
    const ratio = devicePixelRatio
    this.#size = { width, height }
    this.#canvas.width = Math.round(width * ratio)
    this.#canvas.height = Math.round(height * ratio)
    this.#canvas.getContext('2d')?.setTransform(ratio, 0, 0, ratio, 0, 0)
    if (this.#camera.follows) this.#follow()
    this.#draw()
  }

  #draw(): void {
    if (this.#frame !== 0) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      const context = this.#canvas.getContext('2d')
      if (context === null || this.#size.width === 0) return
      paint(context, this.#layout, this.#camera, this.#size, this.#palette, this.#names, this.#selected)
    })
  }

  #onWheel(event: WheelEvent): void {
    event.preventDefault()
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX || event.deltaY, 0)
    else this.zoom(Math.exp(-event.deltaY / 300), event.offsetX)
  }

  #onPointerDown(event: PointerEvent): void {
    const { pointerId } = event
    const canvas = this.#canvas
    const end = new AbortController()
    let moved = 0
    canvas.setPointerCapture(pointerId)
    canvas.addEventListener(
      'pointermove',
      ({ movementX, movementY }) => {
        moved += Math.abs(movementX) + Math.abs(movementY)
        this.pan(-movementX, -movementY)
      },
      { signal: end.signal }
    )
    const stop = (last: PointerEvent): void => {
      end.abort()
      if (last.type === 'pointerup' && moved < 4) this.#onSelect(this.#entryAt(last.offsetX, last.offsetY))
    }
    canvas.addEventListener('pointerup', stop, { signal: end.signal })
    canvas.addEventListener('pointercancel', stop, { signal: end.signal })
  }

  #entryAt(x: number, y: number): string | undefined {
    const height = laneHeight(this.#layout, this.#size)
    const { entries, clock, lane, slot } = this.#layout
    let [nearest, found]: [number, string | undefined] = [reach, undefined]
    for (const [i, { cid }] of entries.entries()) {
      const dx = xOf(this.#camera, clock[i] ?? 0) - x
      const dy = yOf(this.#camera, height, lane[i] ?? 0, slot[i] ?? 0) - y
      const distance = Math.hypot(dx, dy)
      if (distance < nearest) [nearest, found] = [distance, cid]
    }
    return found
  }
}
