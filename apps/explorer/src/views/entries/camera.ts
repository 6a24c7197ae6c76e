import type { Layout } from './layout.ts'

/** The part of the graph that is on the screen. */
export interface Camera {
  /** The clock at the left edge. */
  left: number
  /** Pixels per clock. */
  scale: number
  /** How many pixels the lanes are moved up. */
  top: number
  /** Whether new entries stay visible. */
  follows: boolean
}

export interface Size {
  readonly width: number
  readonly height: number
}

const margin = 28
const [leastScale, mostScale] = [0.005, 60]

export function laneHeight({ lanes }: Layout, { height }: Size): number {
  return Math.max(26, (height - 30) / Math.max(1, lanes.length))
}

export function xOf(camera: Camera, clock: number): number {
  return margin + (clock - camera.left) * camera.scale
}

export function yOf(camera: Camera, height: number, lane: number, slot: number): number {
  return 15 + height * (lane + 0.5) - camera.top + slot * 9
}

export function clockAt(camera: Camera, x: number): number {
  return camera.left + (x - margin) / camera.scale
}

/** Shows everything. */
export function fit(camera: Camera, { firstClock, lastClock }: Layout, { width }: Size): void {
  camera.scale = clamp((width - 2 * margin) / Math.max(1, lastClock - firstClock), leastScale, 28)
  camera.left = firstClock
  camera.top = 0
  camera.follows = true
}

/** Shows the newest entries at the same scale. */
export function showEnd(camera: Camera, { firstClock, lastClock }: Layout, { width }: Size): void {
  camera.left = Math.max(firstClock, lastClock - (width - 2 * margin) / camera.scale)
}

export function zoom(camera: Camera, factor: number, x: number): void {
  const clock = clockAt(camera, x)
  camera.scale = clamp(camera.scale * factor, leastScale, mostScale)
  camera.left = clock - (x - margin) / camera.scale
  camera.follows = false
}

export function pan(camera: Camera, layout: Layout, size: Size, dx: number, dy: number): void {
  camera.left = clamp(camera.left + dx / camera.scale, layout.firstClock - 50 / camera.scale, layout.lastClock)
  const overflow = laneHeight(layout, size) * layout.lanes.length + 30 - size.height
  camera.top = clamp(camera.top + dy, 0, Math.max(0, overflow))
  camera.follows = false
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
