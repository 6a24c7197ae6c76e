import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { siteLink } from './links.ts'
import { measuredHere } from './measured.ts'
import { repository, root } from './repository.ts'

/** The part of markdown-it that the site uses. */
interface Markdown {
  readonly core: {
    readonly ruler: {
      push(name: string, rule: (state: { tokens: Token[]; env: { path?: string } }) => void): void
    }
  }
}

interface Token {
  readonly type: string
  readonly content: string
  tag: string
  readonly children: Token[] | null
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}

/**
 * Turns links into the repository into links to the page that shows the file. See {@link absolute} for links of an
 * included part.
 */
export function siteLinks(markdown: Markdown): void {
  markdown.core.ruler.push('site-links', ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet('href')
      if (token.type === 'link_open' && href !== null) token.attrSet('href', siteLink(absolute(href, env.path)))
    }
  })
}

/** Handles columns without a name: a screen reader would announce an empty header cell. */
export function emptyHeaders(markdown: Markdown): void {
  markdown.core.ruler.push('empty-headers', ({ tokens }) => {
    for (const [i, token] of tokens.entries()) {
      const close = tokens[i + 2]
      if (token.type !== 'th_open' || tokens[i + 1]?.content !== '' || close === undefined) continue
      token.tag = 'td'
      close.tag = 'td'
    }
  })
}

/** A relative link leads to another page, unless it is in an included part of a file at the top of the repository. */
function absolute(href: string, page: string | undefined): string {
  const [path = ''] = href.split('#')
  if (page === undefined || path === '' || /^(?:[a-z]+:|\/)/.test(path)) return href
  const isPage = existsSync(resolve(dirname(page), path))
  return isPage || !existsSync(resolve(root, path)) ? href : `${repository}/tree/main/${href}`
}

/** GitHub's anchors, so that one link works in both places. */
export function slugify(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Inserts generated parts where a page names them. */
export const generatedParts: {
  name: string
  enforce: 'pre'
  transform: (code: string, id: string) => string | undefined
} = {
  name: 'generated-parts',
  enforce: 'pre',
  transform: (code, id) => (id.endsWith('.md') ? code.replace('<!-- measured -->', measuredHere) : undefined)
}
