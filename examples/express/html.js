// @ts-check
/** HTML by tagged template. Every value is escaped unless it is itself the result of `html`, so no page can forget it. */
export class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text
  }
  toString() {
    return this.text
  }
}

/**
 * @param {TemplateStringsArray} strings
 * @param {...unknown} values `null`, `undefined` and `false` are nothing
 */
export function html(strings, ...values) {
  return new Html(strings.reduce((page, part, index) => page + part + render(values[index]), ''))
}

/** @param {unknown} value @returns {string} */
function render(value) {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(render).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
