import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import './style.css'

const theme: Theme = {
  extends: DefaultTheme,
  enhanceApp: ({ router }) => {
    if (typeof document === 'undefined') return
    // All other pages already have a landmark.
    router.onAfterRouteChange = () => {
      const content = document.querySelector('#VPContent')
      if (content?.classList.contains('is-home') === true) content.setAttribute('role', 'main')
      else content?.removeAttribute('role')
    }
  }
}

export default theme
