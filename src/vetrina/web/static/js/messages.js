// Messages of scripts in the page's language: the attributes of <template id="messages"> in components/messages.html.
const messages = document.getElementById("messages")?.dataset ?? {};

/** The message `name`, with {value} filled in from `values`. */
export const say = (name, values = {}) => (messages[name] ?? name).replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

/** A whole number with the digits of the page's language. */
export const number = (value) => new Intl.NumberFormat(document.documentElement.lang).format(value);
