/** Session data of about the wanted size as JSON: a cart, preferences and some texts, like real ones. */
export function payload(bytes, seed) {
  const data = {
    csrf: `token-${seed}`,
    locale: 'de-CH',
    prefs: { theme: seed % 2 ? 'dark' : 'light', density: 3 },
    cart: [],
  }
  for (let i = 0; JSON.stringify(data).length < bytes - 80; i++) {
    data.cart.push({ sku: `SKU-${seed}-${i}`, title: `Article number ${i}`, quantity: (i % 5) + 1, price: 19.95 + i })
  }
  const missing = bytes - JSON.stringify(data).length - 11
  return missing > 0 ? { ...data, note: 'x'.repeat(missing) } : data
}
