import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Bundle } from '@p2pl/tooling-vitest/browser'
import { build as esbuild } from 'esbuild'
import { build as vite } from 'vite'
import { programFile } from '../src/programs.ts'

interface WebpackStats {
  hasErrors(): boolean
  toString(): string
}
type Webpack = (options: object, done: (error: Error | null, stats: WebpackStats) => void) => void

/**
 * Each bundler builds a page from `app.js` in the folder, as the start of its documentation shows: nothing is
 * configured for p2pl.
 */
export const bundlers: Readonly<Record<string, (folder: string, outdir: string) => Promise<void>>> = {
  esbuild: async (folder, outdir) => {
    const entry = { in: join(folder, 'app.js'), out: 'page' }
    await esbuild({ entryPoints: [entry], bundle: true, format: 'esm', outdir, logLevel: 'silent' })
  },
  vite: async (root, outDir) => {
    const lib = { entry: join(root, 'app.js'), formats: ['es' as const], fileName: 'page' }
    await vite({ root, logLevel: 'silent', configFile: false, build: { outDir, lib } })
  },
  webpack: async (context, path) => {
    const { default: webpack } = (await import(pathToFileURL(programFile('webpack/lib/index.js')).href)) as {
      default: Webpack
    }
    const output = { path, filename: 'page.js', chunkFilename: 'page-[name].js' }
    // Minimising takes longer than all other steps together.
    const optimization = { minimize: process.env['P2PL_LONG'] === '1' }
    await new Promise<void>((resolve, reject) => {
      webpack({ mode: 'production', context, entry: './app.js', output, optimization }, (error, stats) => {
        if (error !== null) reject(error)
        else if (stats.hasErrors()) reject(new Error(stats.toString()))
        else resolve()
      })
    })
  }
}

/** The output of a bundler for `app.js`, by the paths of a site. */
export async function bundleWith(name: string, folder: string): Promise<Bundle> {
  const outdir = join(folder, 'out', name)
  mkdirSync(outdir, { recursive: true })
  await bundlers[name]?.(folder, outdir)
  return new Map(
    readdirSync(outdir, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.js'))
      .map((path) => [`/${path}`, readFileSync(join(outdir, path), 'utf8')])
  )
}
