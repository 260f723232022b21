// Messages of scripts in the page's language: the attributes data-message-NAME of components/messages.html.
const messages = document.getElementById("messages")?.dataset ?? {};

/** The message `name`, with {value} filled in from `values`. */
export const say = (name, values = {}) => (messages[`message${name[0].toUpperCase()}${name.slice(1)}`] ?? name).replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

/** A whole number with the digits of the page's language. */
export const number = (value) => new Intl.NumberFormat(document.documentElement.lang).format(value);
