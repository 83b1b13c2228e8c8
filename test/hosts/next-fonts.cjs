/** What Google answers for the fonts of create-next-app, for builds without a network: a font that the system has. */
const face = (family) =>
  `@font-face { font-family: '${family}'; font-style: normal; font-weight: 100 900; src: local('sans-serif'); }`

module.exports = {
  'https://fonts.googleapis.com/css2?family=Geist:wght@100..900&display=swap': face('Geist'),
  'https://fonts.googleapis.com/css2?family=Geist+Mono:wght@100..900&display=swap': face('Geist Mono'),
}
