"""Texts of messages in English and Persian."""

from __future__ import annotations

from dataclasses import dataclass

from vetrina.accounts.model import Language, Purpose
from vetrina.accounts.notifications.actions import Notice


@dataclass(frozen=True)
class Words:
    """One letter: `link` is the words of its link, `sms` all that goes by SMS; {code}, {site} are filled in."""

    subject: str
    lines: tuple[str, ...]
    sms: str
    link: str = ""
    after: tuple[str, ...] = ()


_NOT_YOU = "If this was not you, you need not do anything: without the code nothing happens."
_NOT_YOU_FA = "اگر شما این را نخواسته‌اید، کاری لازم نیست: بدون این کد هیچ اتفاقی نمی‌افتد."
_TEN = "The code is good for ten minutes and works once. Nobody of ours will ever ask you for it."
_TEN_FA = "این کد ده دقیقه اعتبار دارد و یک بار کار می‌کند. هیچ‌کس از سوی ما آن را از شما نمی‌پرسد."

CODES: dict[Language, dict[Purpose, Words]] = {
    "en": {
        "email_verify": Words(
            "Confirm your e-mail address", ("This code confirms that the address is yours:",),
            "{code} confirms your address at {site}.", "Confirm the address", (_TEN, _NOT_YOU),
        ),
        "phone_verify": Words(
            "Confirm your phone number", ("This code confirms that the number is yours:",),
            "{code} confirms your number at {site}. Good for ten minutes; tell it to nobody.", "", (_TEN, _NOT_YOU),
        ),
        "sign_in": Words(
            "Sign in", ("This code signs you in:",),
            "{code} signs you in at {site}. Good for ten minutes; tell it to nobody.", "", (_TEN, _NOT_YOU),
        ),
        "password_reset": Words(
            "Choose a new password", ("Somebody, probably you, asked for a new password. This code lets you choose one:",),
            "{code} lets you choose a new password at {site}. Good for ten minutes; tell it to nobody.",
            "Choose a new password", (_TEN, _NOT_YOU),
        ),
    },
    "fa": {
        "email_verify": Words(
            "نشانی ایمیل خود را تأیید کنید", ("این کد تأیید می‌کند که این نشانی از آنِ شماست:",),
            "{code} کد تأیید نشانی شما در {site} است.", "تأیید نشانی", (_TEN_FA, _NOT_YOU_FA),
        ),
        "phone_verify": Words(
            "شمارهٔ تلفن خود را تأیید کنید", ("این کد تأیید می‌کند که این شماره از آنِ شماست:",),
            "{code} کد تأیید شمارهٔ شما در {site} است. ده دقیقه اعتبار دارد؛ آن را به کسی نگویید.", "", (_TEN_FA, _NOT_YOU_FA),
        ),
        "sign_in": Words(
            "ورود", ("با این کد وارد می‌شوید:",),
            "{code} کد ورود شما به {site} است. ده دقیقه اعتبار دارد؛ آن را به کسی نگویید.", "", (_TEN_FA, _NOT_YOU_FA),
        ),
        "password_reset": Words(
            "گذرواژهٔ تازه‌ای برگزینید", ("کسی، احتمالاً خود شما، گذرواژهٔ تازه‌ای خواسته است. با این کد آن را برمی‌گزینید:",),
            "{code} کد گزیدن گذرواژهٔ تازه در {site} است. ده دقیقه اعتبار دارد؛ آن را به کسی نگویید.",
            "گزیدن گذرواژهٔ تازه", (_TEN_FA, _NOT_YOU_FA),
        ),
    },
}  # fmt: skip

_WAS_IT_YOU = "If this was not you, choose a new password now: it signs everybody out."
_WAS_IT_YOU_FA = "اگر کار شما نبود، همین حالا گذرواژهٔ تازه‌ای برگزینید: با این کار همه از حساب بیرون می‌روند."

NOTICES: dict[Language, dict[Notice, Words]] = {
    "en": {
        "registered_already": Words(
            "You have an account already",
            ("Somebody, perhaps you, tried to register with this address. There is an account with it already, so nothing "
             "has changed.", "Sign in as usual; if the password is forgotten, choose a new one."),
            "Somebody tried to register at {site} with this number. You have an account already: sign in, or choose a new "
            "password.", "Choose a new password",
        ),
        "password_changed": Words(
            "Your password was changed", ("Your password was changed, and every device was signed out.",),
            "Your password at {site} was changed. If this was not you, choose a new one now.", "Choose a new password",
            (_WAS_IT_YOU,),
        ),
        "second_factor_on": Words(
            "Your second factor is on", ("From now on signing in takes a code of your authenticator, too.",),
            "The second factor of your account at {site} is on.", "Choose a new password", (_WAS_IT_YOU,),
        ),
        "second_factor_off": Words(
            "Your second factor is off", ("From now on your password alone signs you in.",),
            "The second factor of your account at {site} is off. If this was not you, choose a new password now.",
            "Choose a new password", (_WAS_IT_YOU,),
        ),
        "recovery_code_used": Words(
            "A recovery code was used", ("Somebody signed in with your password and one of your recovery codes.",),
            "A recovery code of your account at {site} was used. If this was not you, choose a new password now.",
            "Choose a new password", (_WAS_IT_YOU,),
        ),
        "identifier_released": Words(
            "An address or number was removed from your account",
            ("It was never confirmed, and its owner has shown that it is theirs. Nothing else has changed.",),
            "A number that was never confirmed was removed from your account at {site}: its owner has shown that it is theirs.",
        ),
    },
    "fa": {
        "registered_already": Words(
            "شما پیش‌تر حساب ساخته‌اید",
            ("کسی، شاید خود شما، خواست با این نشانی ثبت‌نام کند. حسابی با آن هست، پس چیزی تغییر نکرد.",
             "مثل همیشه وارد شوید؛ اگر گذرواژه را فراموش کرده‌اید، گذرواژهٔ تازه‌ای برگزینید."),
            "کسی خواست با این شماره در {site} ثبت‌نام کند. شما پیش‌تر حساب ساخته‌اید: وارد شوید یا گذرواژهٔ تازه‌ای برگزینید.",
            "گزیدن گذرواژهٔ تازه",
        ),
        "password_changed": Words(
            "گذرواژهٔ شما عوض شد", ("گذرواژهٔ شما عوض شد و همهٔ دستگاه‌ها از حساب بیرون رفتند.",),
            "گذرواژهٔ شما در {site} عوض شد. اگر کار شما نبود، همین حالا گذرواژهٔ تازه‌ای برگزینید.", "گزیدن گذرواژهٔ تازه",
            (_WAS_IT_YOU_FA,),
        ),
        "second_factor_on": Words(
            "گام دوم ورود روشن شد", ("از این پس برای ورود، کد برنامهٔ احراز هویت هم لازم است.",),
            "گام دوم ورود حساب شما در {site} روشن شد.", "گزیدن گذرواژهٔ تازه", (_WAS_IT_YOU_FA,),
        ),
        "second_factor_off": Words(
            "گام دوم ورود خاموش شد", ("از این پس تنها با گذرواژه وارد می‌شوید.",),
            "گام دوم ورود حساب شما در {site} خاموش شد. اگر کار شما نبود، همین حالا گذرواژهٔ تازه‌ای برگزینید.",
            "گزیدن گذرواژهٔ تازه", (_WAS_IT_YOU_FA,),
        ),
        "recovery_code_used": Words(
            "یک کد بازیابی به کار رفت", ("کسی با گذرواژه و یکی از کدهای بازیابی شما وارد شد.",),
            "یک کد بازیابی حساب شما در {site} به کار رفت. اگر کار شما نبود، همین حالا گذرواژهٔ تازه‌ای برگزینید.",
            "گزیدن گذرواژهٔ تازه", (_WAS_IT_YOU_FA,),
        ),
        "identifier_released": Words(
            "نشانی یا شماره‌ای از حساب شما برداشته شد",
            ("این نشانی یا شماره هرگز تأیید نشده بود و صاحب آن نشان داد که از آنِ اوست. چیز دیگری تغییر نکرد.",),
            "شماره‌ای که تأیید نشده بود از حساب شما در {site} برداشته شد: صاحب آن نشان داد که از آنِ اوست.",
        ),
    },
}  # fmt: skip

UNCONFIRMED: dict[Language, Words] = {
    "en": Words("", (), "This number was never confirmed at {site}: sign in with your password, or choose a new one."),
    "fa": Words("", (), "این شماره در {site} تأیید نشده و با کد نمی‌توان وارد شد. با گذرواژه وارد شوید یا آن را بازنشانی کنید."),
}
"""To a phone that asks for a code to sign in before it was confirmed."""
